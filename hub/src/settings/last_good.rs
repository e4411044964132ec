//! A person's file that cannot be read while the program runs.

use super::layers::Layers;
use super::{Key, Provenance, Settings};
use crate::protocol::Problem;

/// What the person's file last said: an editor that leaves half a file, or a typing error, moves no door and forgets no
/// softphone.
#[derive(Debug, Default)]
pub struct LastGood(Settings);

impl LastGood {
    /// As [`Settings::resolve`]; where the person's file, or a value in it, cannot be used, what it said before counts,
    /// but for what [follows the tenancy](Key::follows_tenancy): what nobody can read names no tenant.
    pub fn resolve(&mut self, layers: &Layers) -> (Settings, Vec<Problem>) {
        let (mut now, problems) = Settings::resolve(layers);
        let (mut own, _) = Settings::resolve(&Layers { user: layers.user.clone(), ..Layers::default() });
        let unusable = layers.user.document(&mut Vec::new()).is_err();
        for key in Key::ALL.into_iter().filter(|key| !key.follows_tenancy()) {
            if unusable || own.wrong.contains(&key) {
                own.take(key, &self.0);
                if now.get(key).from < Provenance::User {
                    now.take(key, &self.0);
                }
            }
        }
        self.0 = own;
        (now, problems)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Content, SettingsFile, Unusable};
    use super::*;

    fn layers(text: &str) -> Layers {
        Layers { user: SettingsFile::of_text("own.toml", text), ..Layers::default() }
    }

    #[test]
    fn what_a_file_said_stands_while_it_cannot_be_read() {
        let mut last = LastGood::default();
        let good = "rest_port = 4000\nsdk_approved = [\"https://a.example\"]\nheadset = \"h\"\nuser = \"anna\"\n\
                    language = \"de-DE\"\nsdk_denied = [\"https://b.example\"]\nlog_level = \"debug\"\n\
                    server_url = \"https://t.example\"\n";
        // Nothing stands that never was.
        let (never, problems) = last.resolve(&layers("rest_port ="));
        assert_eq!((never.rest_port.value, problems.len()), (32018, 1));
        let (was, _) = last.resolve(&layers(good));
        assert_eq!((was.rest_port.value, was.rest_port.from), (4000, Provenance::User));
        let mut unusable = layers("");
        unusable.user.content = Content::Unusable(Unusable::NotUtf8);
        for bad in [layers("rest_port ="), unusable] {
            let (now, problems) = last.resolve(&bad);
            assert_eq!(problems.len(), 1, "it is said: {problems:?}");
            let (listed, before) = (now.list(), was.list());
            for (now, before) in listed.iter().zip(&before) {
                let stays = !matches!(before.key, "server_url" | "user");
                assert_eq!(now == before, stays, "{now:?} {before:?}");
            }
            assert_eq!(now.server_url.value, None);
            assert!(now.tenant_fault.is_some(), "no other tenant takes its place");
        }
        // One wrong word takes the others with it no more than the file does.
        let (now, problems) = last.resolve(&layers("rest_port = true\nlog_level = \"warn\"\n"));
        assert_eq!((now.rest_port.value, now.log_level.value.as_str(), problems.len()), (4000, "warn", 1));
        // What can be read has the last word, also with less in it.
        assert_eq!(last.resolve(&layers("")).0, Settings::default(), "all of it was taken out");
        assert_eq!(last.resolve(&layers("rest_port =")).0.rest_port.value, 32018);
    }

    /// Above it nothing changes.
    #[test]
    fn what_it_said_does_not_rise_above_it() {
        let mut last = LastGood::default();
        last.resolve(&layers("rest_port = 4000\n"));
        let mut bad = layers("rest_port =");
        bad.machine.shared = SettingsFile::of_text("machine.toml", "rest_port = 5000\n");
        let (now, _) = last.resolve(&bad);
        assert_eq!((now.rest_port.value, now.rest_port.from), (5000, Provenance::Machine));
    }
}
