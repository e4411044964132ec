//! The icon, drawn: a headset in white on a coloured disc, which is readable on light and dark panels, and in its lower
//! right corner a badge that differs by shape as well as by colour.

use hub::user::menu::Badge;

const DISC: [u8; 3] = [0x17, 0x77, 0x82];
const WHITE: [u8; 3] = [0xFF, 0xFF, 0xFF];
const AMBER: [u8; 3] = [0xF5, 0x9E, 0x0B];
const INK: [u8; 3] = [0x2B, 0x1A, 0x00];
const GREEN: [u8; 3] = [0x15, 0x80, 0x3D];
const RED: [u8; 3] = [0xC8, 0x1E, 0x1E];

/// Centre and radius of the badge, and of the clear ring around it.
const BADGE: (f32, f32, f32) = (0.735, 0.735, 0.265);
const RING: f32 = 0.05;

/// `pixels` × `pixels` of straight (not premultiplied) RGBA, row by row.
pub fn rgba(pixels: u32, badge: Badge) -> Vec<u8> {
    let size = pixels as f32;
    let mut picture = Vec::with_capacity((pixels * pixels * 4) as usize);
    for y in 0..pixels {
        for x in 0..pixels {
            let at = ((x as f32 + 0.5) / size, (y as f32 + 0.5) / size);
            picture.extend_from_slice(&pixel(at, size, badge));
        }
    }
    picture
}

/// Distances are in units of the picture's side, negative inside.
type Point = (f32, f32);

fn pixel(at: Point, size: f32, badge: Badge) -> [u8; 4] {
    // A pixel is covered by as much as its centre is inside, with half a pixel of slope on either side.
    let cover = |distance: f32| (0.5 - distance * size).clamp(0.0, 1.0);
    let mut colour = Paint::default();
    colour.over(DISC, cover(disc(at, (0.5, 0.5), 0.5)));
    colour.over(WHITE, cover(headset(at)));
    if badge != Badge::None {
        let (x, y, radius) = BADGE;
        colour.erase(cover(disc(at, (x, y), radius + RING)));
        let (back, front) = match badge {
            Badge::Update => (AMBER, INK),
            Badge::Call => (GREEN, WHITE),
            Badge::Muted | Badge::None => (RED, WHITE),
        };
        colour.over(back, cover(disc(at, (x, y), radius)));
        let inside = ((at.0 - x) / radius, (at.1 - y) / radius);
        colour.over(front, cover(sign(inside, badge) * radius));
        if badge == Badge::Muted {
            // The slash is set off from the microphone below it.
            colour.over(back, cover(line(inside, (-0.5, -0.5), (0.5, 0.5), 0.26) * radius));
            colour.over(front, cover(line(inside, (-0.5, -0.5), (0.5, 0.5), 0.12) * radius));
        }
    }
    colour.bytes()
}

/// Headband, two ear cushions and a microphone on the left, where the badge does not hide it.
fn headset(at: Point) -> f32 {
    let band = arc(at, (0.5, 0.5), 0.27, 0.045, 0.0);
    let left = cushion(at, (0.235, 0.575));
    let right = cushion(at, (0.765, 0.575));
    let boom = line(at, (0.235, 0.66), (0.32, 0.79), 0.032).min(line(at, (0.32, 0.79), (0.46, 0.815), 0.032));
    let microphone = line(at, (0.45, 0.815), (0.51, 0.815), 0.055);
    band.min(left).min(right).min(boom).min(microphone)
}

fn cushion(at: Point, centre: Point) -> f32 {
    line(at, (centre.0, centre.1 - 0.065), (centre.0, centre.1 + 0.065), 0.085)
}

/// What is drawn in the badge, in units of its radius.
fn sign(at: Point, badge: Badge) -> f32 {
    match badge {
        Badge::None => f32::MAX,
        // an arrow downwards
        Badge::Update => {
            let shaft = line(at, (0.0, -0.5), (0.0, 0.42), 0.13);
            let head =
                line(at, (-0.38, 0.08), (0.0, 0.5), 0.13).min(line(at, (0.38, 0.08), (0.0, 0.5), 0.13));
            shaft.min(head)
        }
        // a handset
        Badge::Call => {
            let grip = arc(at, (0.0, 0.26), 0.5, 0.15, 0.05);
            let ends =
                line(at, (-0.5, 0.14), (-0.42, 0.28), 0.21).min(line(at, (0.5, 0.14), (0.42, 0.28), 0.21));
            grip.min(ends)
        }
        // a microphone
        Badge::Muted => {
            let body = line(at, (0.0, -0.34), (0.0, 0.02), 0.26);
            let stand = line(at, (0.0, 0.3), (0.0, 0.5), 0.1).min(line(at, (-0.2, 0.54), (0.2, 0.54), 0.1));
            body.min(stand)
        }
    }
}

/// Not `hypot`: it would be the one symbol that asks for glibc 2.35. Numbers of a picture neither overflow nor vanish.
fn length(of: Point) -> f32 {
    (of.0 * of.0 + of.1 * of.1).sqrt()
}

fn disc(at: Point, centre: Point, radius: f32) -> f32 {
    length((at.0 - centre.0, at.1 - centre.1)) - radius
}

/// A line from `a` to `b` with round ends.
fn line(at: Point, a: Point, b: Point, half_width: f32) -> f32 {
    let (from_a, along) = ((at.0 - a.0, at.1 - a.1), (b.0 - a.0, b.1 - a.1));
    let square = along.0 * along.0 + along.1 * along.1;
    let share = ((from_a.0 * along.0 + from_a.1 * along.1) / square).clamp(0.0, 1.0);
    length((from_a.0 - along.0 * share, from_a.1 - along.1 * share)) - half_width
}

/// The upper half of a ring, down to `below` under its centre.
fn arc(at: Point, centre: Point, radius: f32, half_width: f32, below: f32) -> f32 {
    let ring = disc(at, centre, radius).abs() - half_width;
    ring.max(at.1 - centre.1 - below)
}

/// Colour premultiplied by its opacity.
#[derive(Clone, Copy, Debug, Default)]
struct Paint {
    rgb: [f32; 3],
    opacity: f32,
}

impl Paint {
    fn over(&mut self, colour: [u8; 3], cover: f32) {
        for (channel, new) in self.rgb.iter_mut().zip(colour) {
            *channel = *channel * (1.0 - cover) + f32::from(new) * cover;
        }
        self.opacity = self.opacity * (1.0 - cover) + cover;
    }

    fn erase(&mut self, cover: f32) {
        self.rgb = self.rgb.map(|channel| channel * (1.0 - cover));
        self.opacity *= 1.0 - cover;
    }

    fn bytes(self) -> [u8; 4] {
        let straight =
            |channel: f32| (channel / self.opacity.max(f32::EPSILON)).round().clamp(0.0, 255.0) as u8;
        let [r, g, b] = self.rgb.map(straight);
        [r, g, b, (self.opacity * 255.0).round() as u8]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BADGES: [Badge; 4] = [Badge::None, Badge::Update, Badge::Call, Badge::Muted];

    /// WCAG 2 relative luminance.
    fn luminance(pixel: &[u8]) -> f32 {
        let linear = |c: u8| {
            let c = f32::from(c) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(pixel[0]) + 0.7152 * linear(pixel[1]) + 0.0722 * linear(pixel[2])
    }

    fn contrast(a: f32, b: f32) -> f32 {
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn every_size_is_filled_and_its_corners_are_clear() {
        for pixels in [22, 24, 32, 48, 64] {
            for badge in BADGES {
                let picture = rgba(pixels, badge);
                assert_eq!(picture.len(), (pixels * pixels * 4) as usize);
                assert_eq!(picture[3], 0, "the upper left corner");
                let opaque =
                    picture.chunks(4).filter(|p| p[3] == 255).count() as f32 / (pixels * pixels) as f32;
                assert!((0.6..0.8).contains(&opaque), "{pixels} {badge:?}: {opaque} is opaque");
            }
        }
    }

    #[test]
    fn the_headset_stands_out_from_its_disc_and_the_signs_from_their_badges() {
        for (back, front) in [(DISC, WHITE), (AMBER, INK), (GREEN, WHITE), (RED, WHITE)] {
            let ratio = contrast(luminance(&back), luminance(&front));
            assert!(ratio >= 4.5, "{back:?} {front:?}: {ratio}");
        }
    }

    #[test]
    fn badges_differ_in_shape_even_without_colour() {
        let white = |badge: Badge, back: [u8; 3]| -> Vec<bool> {
            rgba(22, badge).chunks(4).map(|p| p[..3] != back && p[3] > 200).collect()
        };
        let shapes = [white(Badge::Update, AMBER), white(Badge::Call, GREEN), white(Badge::Muted, RED)];
        for (i, a) in shapes.iter().enumerate() {
            for b in &shapes[i + 1..] {
                let different = a.iter().zip(b).filter(|(a, b)| a != b).count();
                assert!(different > 20, "only {different} pixels differ");
            }
        }
    }
}
