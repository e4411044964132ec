//! Draws an [`agent::Menu`](hub::user::Menu) as the icon near the clock. The icon has the thread that the program began
//! with, which sleeps until there is something to draw; clicks come back as [`Action`]s.

use super::os::{self, MainLoop, Post};
use hub::locale::{Locale, Message};
use hub::problem::Reason;
use hub::protocol::{Detail, Problem};
use hub::user::Menu;
use hub::user::menu::{Action, Badge, Item, Page};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tray_icon::menu::{IsMenuItem, MenuEvent, MenuItem, PredefinedMenuItem};
use tray_icon::{Icon, MouseButton, MouseButtonState, TrayIcon, TrayIconBuilder, TrayIconEvent};

pub mod icon;

/// Panels scale it down to 22 … 64 pixels.
const ICON_PIXELS: u32 = 64;
/// A desktop that does not answer must not hold up the agent.
const START_TIMEOUT: Duration = Duration::from_secs(5);

/// What clicks mean. The libraries below keep one handler for the life of the process, so it looks here.
static CLICKS: Mutex<Option<Clicks>> = Mutex::new(None);
static HANDLERS: Once = Once::new();

struct Clicks {
    actions: mpsc::Sender<Action>,
    items: BTreeMap<String, Action>,
}

#[derive(Debug)]
enum Order {
    Show(oneshot::Sender<Result<(), String>>),
    Draw(Menu),
}

/// The icon, for whoever tells it what to show; gone once this is dropped.
#[derive(Debug)]
pub struct Tray {
    orders: Post<Order>,
}

/// The icon, for the thread that it is to have.
#[derive(Debug)]
pub struct TrayLoop {
    orders: MainLoop<Order>,
    locale: Arc<Locale>,
}

/// Must be called on the thread that the program began with; some systems have icons on no other.
///
/// # Errors
/// `tray-not-shown`: the system has no loop for them.
pub fn on_this_thread(locale: Arc<Locale>) -> Result<(Tray, TrayLoop), Problem> {
    let (post, orders) = os::main_loop().map_err(|error| not_shown(Detail::verbatim(error)))?;
    Ok((Tray { orders: post }, TrayLoop { orders, locale }))
}

impl Tray {
    /// Shows the icon, or makes it appear as soon as the desktop has a place for it. Takes at most five seconds.
    ///
    /// # Errors
    /// `tray-not-shown`: the agent works without, its window is reached by `hookswitch open`.
    pub async fn show(&self, actions: mpsc::Sender<Action>) -> Result<(), Problem> {
        HANDLERS.call_once(|| {
            MenuEvent::set_event_handler(Some(|event: MenuEvent| menu_clicked(&event.id.0)));
            TrayIconEvent::set_event_handler(Some(|event: TrayIconEvent| {
                let left = MouseButton::Left;
                if matches!(event, TrayIconEvent::Click { button, button_state: MouseButtonState::Up, .. } if button == left)
                {
                    act(|_| Some(Action::OpenWindow(Page::Devices)));
                }
            }));
        });
        *clicks() = Some(Clicks { actions, items: BTreeMap::new() });
        let (ready, shown) = oneshot::channel();
        self.orders.post(Order::Show(ready));
        match tokio::time::timeout(START_TIMEOUT, shown).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(reason))) => Err(not_shown(Detail::verbatim(reason))),
            Ok(Err(_)) => Err(not_shown(Detail::new("tray-ended", "its loop ended"))),
            Err(_) => Err(not_shown(Detail::new("desktop-silent", "the desktop does not answer"))),
        }
    }

    /// Changes what differs from the last drawing and nothing else. Returns at once.
    pub fn draw(&self, menu: &Menu) {
        self.orders.post(Order::Draw(menu.clone()));
    }
}

impl Drop for Tray {
    fn drop(&mut self) {
        *clicks() = None;
    }
}

impl TrayLoop {
    /// Until the [`Tray`] is dropped.
    pub fn run(self) {
        let Self { orders, locale } = self;
        let mut face: Option<Face> = None;
        orders.run(move |orders| {
            // Only the newest drawing counts.
            let mut newest = None;
            for order in orders {
                match order {
                    Order::Show(ready) => {
                        let made = Face::new().map(|made| face = Some(made));
                        if ready.send(made.map_err(|error| error.to_string())).is_err() {
                            face = None; // nobody waited so long
                        }
                    }
                    Order::Draw(menu) => newest = Some(menu),
                }
            }
            if let (Some(face), Some(menu)) = (&mut face, newest)
                && let Err(error) = face.draw(&locale, &menu)
            {
                tracing::warn!(%error, "the tray menu could not be drawn");
            }
        });
    }
}

fn not_shown(reason: Detail) -> Problem {
    Reason::TrayNotShown { reason }.here()
}

fn clicks() -> std::sync::MutexGuard<'static, Option<Clicks>> {
    CLICKS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn menu_clicked(id: &str) {
    act(|items| items.get(id).cloned());
}

fn act(choose: impl FnOnce(&BTreeMap<String, Action>) -> Option<Action>) {
    let clicks = clicks();
    let Some(clicks) = clicks.as_ref() else { return };
    if let Some(action) = choose(&clicks.items)
        && let Err(error) = clicks.actions.try_send(action)
    {
        tracing::warn!(%error, "a click in the tray is lost");
    }
}

/// One line of the menu in words.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Line {
    Separator,
    Label(String),
    Action(String, Action),
}

/// What is on the screen.
struct Face {
    icon: TrayIcon,
    badge: Badge,
    tooltip: String,
    lines: Vec<Line>,
    /// One for every line; `None` for separators.
    items: Vec<Option<MenuItem>>,
    /// Counts menus, so that a click on an old one does nothing.
    menus: u64,
}

impl Face {
    fn new() -> Result<Self, tray_icon::Error> {
        let icon = TrayIconBuilder::new()
            .with_id("hookswitch")
            .with_title("Hookswitch")
            .with_icon(picture(Badge::None));
        Ok(Self {
            icon: icon.build()?,
            badge: Badge::None,
            tooltip: String::new(),
            lines: Vec::new(),
            items: Vec::new(),
            menus: 0,
        })
    }

    fn draw(&mut self, locale: &Locale, menu: &Menu) -> Result<(), tray_icon::Error> {
        if menu.badge != self.badge {
            self.icon.set_icon(Some(picture(menu.badge)))?;
            self.badge = menu.badge;
        }
        let tooltip = words(locale, &menu.tooltip);
        if tooltip != self.tooltip {
            self.icon.set_tooltip(Some(&tooltip))?;
            self.tooltip = tooltip;
        }
        let lines: Vec<Line> = menu.items.iter().map(|item| line(locale, item)).collect();
        if lines == self.lines {
            return Ok(());
        }
        let same_shape =
            lines.len() == self.lines.len() && lines.iter().zip(&self.lines).all(|(a, b)| a.is_like(b));
        if same_shape {
            self.retext(&lines);
        } else {
            self.rebuild(&lines);
        }
        self.lines = lines;
        Ok(())
    }

    /// New words in the menu that is there: an open one stays open.
    fn retext(&mut self, lines: &[Line]) {
        self.tell_clicks(lines);
        for ((new, old), item) in lines.iter().zip(&self.lines).zip(&self.items) {
            if let (Some(item), true) = (item, new.text() != old.text()) {
                item.set_text(new.text());
            }
        }
    }

    fn rebuild(&mut self, lines: &[Line]) {
        self.menus += 1;
        self.tell_clicks(lines);
        let menu = tray_icon::menu::Menu::new();
        self.items.clear();
        for (index, line) in lines.iter().enumerate() {
            let item = match line {
                Line::Separator => None,
                Line::Label(text) | Line::Action(text, _) => {
                    let enabled = matches!(line, Line::Action(..));
                    Some(MenuItem::with_id(self.item_id(index), text, enabled, None))
                }
            };
            let separator = PredefinedMenuItem::separator();
            let entry: &dyn IsMenuItem = item.as_ref().map_or(&separator, |item| item);
            if let Err(error) = menu.append(entry) {
                tracing::warn!(%error, "a line of the tray menu is left out");
            }
            self.items.push(item);
        }
        self.icon.set_menu(Some(Box::new(menu)));
    }

    fn item_id(&self, index: usize) -> String {
        format!("{}.{index}", self.menus)
    }

    fn tell_clicks(&self, lines: &[Line]) {
        let actions = lines.iter().enumerate().filter_map(|(index, line)| match line {
            Line::Action(_, action) => Some((self.item_id(index), action.clone())),
            _ => None,
        });
        if let Some(clicks) = clicks().as_mut() {
            clicks.items = actions.collect();
        }
    }
}

impl Line {
    fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    fn text(&self) -> &str {
        match self {
            Self::Separator => "",
            Self::Label(text) | Self::Action(text, _) => text,
        }
    }
}

fn line(locale: &Locale, item: &Item) -> Line {
    match item {
        Item::Separator => Line::Separator,
        Item::Label(message) => Line::Label(menu_text(&words(locale, message))),
        Item::Action { label, action } => Line::Action(menu_text(&words(locale, label)), action.clone()),
    }
}

fn words(locale: &Locale, message: &Message) -> String {
    if message.id.is_empty() { String::new() } else { locale.format(message) }
}

/// In a menu `&` marks the shortcut, and names of devices must not add lines.
fn menu_text(text: &str) -> String {
    text.replace('&', "&&").replace(char::is_control, " ")
}

fn picture(badge: Badge) -> Icon {
    Icon::from_rgba(icon::rgba(ICON_PIXELS, badge), ICON_PIXELS, ICON_PIXELS)
        .expect("invariant: the picture has four bytes for each of its pixels")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_mark_shortcuts_or_add_lines() {
        assert_eq!(menu_text("A&B\nQuit"), "A&&B Quit");
    }

    #[test]
    fn a_message_without_id_is_no_text() {
        assert_eq!(words(&Locale::new("en"), &Message::default()), "");
    }
}
