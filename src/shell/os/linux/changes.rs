//! Files that others change, come or go: inotify(7) on the folders they are in, or would be. A folder further up that
//! is renamed with all that is in it is not noticed: that would cost a wake-up for each file that anybody makes there.
#![expect(clippy::disallowed_methods, reason = "looks at the files it is asked about")]

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::unix::AsyncFd;

/// Whoever writes a file rarely does it in one step: it is told when nothing has happened for this long.
const SETTLE: Duration = Duration::from_millis(200);
/// One that is written all the time is told nevertheless after this many steps.
const MOST_STEPS: u32 = 25;
/// As many links as the kernel follows.
const MOST_LINKS: usize = 40;
/// Folders may come while they are looked for.
const LOOKS: u32 = 8;

/// Tells of changes of some files.
#[derive(Debug)]
pub struct FileChanges {
    paths: Vec<PathBuf>,
    /// `None` = the system does not tell.
    inotify: Option<AsyncFd<OwnedFd>>,
    /// By watch: the folder, and the names in it that matter.
    watched: BTreeMap<i32, (PathBuf, BTreeSet<OsString>)>,
}

impl FileChanges {
    /// Of these, by absolute paths, and of what they lead to. Must be called inside a runtime.
    pub fn of(paths: &[PathBuf]) -> Self {
        let start = || super::readable(inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?);
        let inotify = start()
            .inspect_err(|error| tracing::warn!(%error, "the system does not tell when files change"))
            .ok();
        let mut this = Self { paths: paths.to_vec(), inotify, watched: BTreeMap::new() };
        this.look();
        this
    }

    /// Whether there is anybody who tells.
    pub fn tells(&self) -> bool {
        self.inotify.is_some()
    }

    /// Waits until one of them may have changed. `None` = that is never told.
    pub async fn next(&mut self) -> Option<()> {
        while !self.read().await? {}
        for _ in 0..MOST_STEPS {
            match tokio::time::timeout(SETTLE, self.read()).await {
                Ok(read) => _ = read?,
                Err(_) => break,
            }
        }
        Some(())
    }

    /// Waits for news and takes them; whether they matter.
    async fn read(&mut self) -> Option<bool> {
        let inotify = self.inotify.as_ref()?;
        let mut ready = inotify.readable().await.ok()?;
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(inotify.get_ref(), &mut buffer);
        let mut matters = false;
        while let Ok(event) = reader.next() {
            let name = event.file_name().map(|name| OsStr::from_bytes(name.to_bytes()));
            matters |= match (self.watched.get(&event.wd()), name) {
                (Some((folder, names)), Some(name)) => {
                    names.contains(name) && !(is_begun(event.events(), &folder.join(name)))
                }
                // The folder itself went, or too much happened for each to be told.
                _ => true,
            };
        }
        ready.clear_ready();
        if matters {
            self.look();
        }
        Some(matters)
    }

    /// Watches the folders that count now.
    fn look(&mut self) {
        let Some(inotify) = &self.inotify else { return };
        let flags = WatchFlags::CLOSE_WRITE
            | WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO
            | WatchFlags::ATTRIB
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        let mut wanted = BTreeMap::new();
        for _ in 0..LOOKS {
            let before = std::mem::take(&mut wanted);
            for (folder, name) in self.paths.iter().flat_map(|path| ways(path)) {
                match inotify::add_watch(inotify.get_ref(), &folder, flags) {
                    Ok(watch) => _ = wanted.entry(watch).or_insert((folder, BTreeSet::new())).1.insert(name),
                    Err(error) => tracing::warn!(%error, folder = %folder.display(), "not told of changes"),
                }
            }
            if wanted == before {
                break;
            }
        }
        for old in self.watched.keys().filter(|watch| !wanted.contains_key(watch)) {
            // Gone with its folder, most of the time.
            let _ = inotify::remove_watch(inotify.get_ref(), *old);
        }
        self.watched = wanted;
    }
}

/// Where something decides what `path` leads to: each link on the way, and at its end the file, or what is to come first
/// of what is not there.
fn ways(path: &Path) -> Vec<(PathBuf, OsString)> {
    let mut found = Vec::new();
    let mut folder = PathBuf::from("/");
    let mut rest: Vec<OsString> = names(path);
    while let Some(name) = rest.pop() {
        if name == ".." {
            folder.pop();
            continue;
        }
        let next = folder.join(&name);
        let is = fs::symlink_metadata(&next).map(|found| found.file_type());
        if is.as_ref().is_ok_and(fs::FileType::is_dir) && !rest.is_empty() {
            folder = next;
            continue;
        }
        found.push((folder.clone(), name));
        let leads_to = fs::read_link(&next).ok().filter(|_| found.len() < MOST_LINKS);
        let Some(leads_to) = leads_to else { break };
        if leads_to.is_absolute() {
            folder = PathBuf::from("/");
        }
        rest.extend(names(&leads_to));
    }
    found
}

/// The last first, without the root.
fn names(path: &Path) -> Vec<OsString> {
    let named = |part: std::path::Component<'_>| match part {
        std::path::Component::Normal(name) => Some(name.to_owned()),
        std::path::Component::ParentDir => Some("..".into()),
        _ => None,
    };
    path.components().rev().filter_map(named).collect()
}

/// A file that was only just made is empty: its end of writing is told too. What was linked or bound is whole.
fn is_begun(events: ReadFlags, path: &Path) -> bool {
    let is_new = events.contains(ReadFlags::CREATE);
    is_new && fs::symlink_metadata(path).is_ok_and(|found| found.is_file() && found.nlink() == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    async fn told(changes: &mut FileChanges) {
        tokio::time::timeout(Duration::from_secs(20), changes.next())
            .await
            .expect("in time")
            .expect("it tells");
    }

    async fn quiet(changes: &mut FileChanges) {
        let told = tokio::time::timeout(SETTLE * 2, changes.next()).await;
        assert!(told.is_err(), "nothing that matters");
    }

    #[tokio::test]
    async fn every_way_in_which_a_file_changes_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("there");
        let path = root.join("a/b/settings.toml");
        let mut changes = FileChanges::of(std::slice::from_ref(&path));
        quiet(&mut changes).await;
        fs::write(root.join("other"), "x").expect("written");
        quiet(&mut changes).await;
        fs::create_dir_all(root.join("a/b")).expect("made");
        told(&mut changes).await;
        let mut file = fs::File::create(&path).expect("made");
        quiet(&mut changes).await;
        file.write_all(b"x").expect("written");
        drop(file);
        told(&mut changes).await;
        fs::write(root.join("a/b/new"), "y").expect("written");
        quiet(&mut changes).await;
        fs::rename(root.join("a/b/new"), &path).expect("renamed");
        told(&mut changes).await;
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("mine");
        told(&mut changes).await;
        fs::remove_file(&path).expect("removed");
        told(&mut changes).await;
        fs::rename(root.join("a/b"), root.join("a/away")).expect("renamed");
        told(&mut changes).await;
        fs::create_dir_all(root.join("a/b")).expect("made");
        fs::write(&path, "z").expect("written");
        told(&mut changes).await;
        quiet(&mut changes).await;
        // What a link leads to.
        fs::write(root.join("real"), "1").expect("written");
        fs::remove_file(&path).expect("removed");
        symlink(root.join("real"), &path).expect("linked");
        told(&mut changes).await;
        fs::write(root.join("real"), "2").expect("written");
        told(&mut changes).await;
        fs::remove_file(&path).expect("removed");
        told(&mut changes).await;
        // A folder that is a link to another, exchanged in one step, as deployment tools do it.
        fs::remove_dir(root.join("a/b")).expect("removed");
        told(&mut changes).await;
        for version in ["v1", "v2"] {
            fs::create_dir(root.join(version)).expect("made");
            fs::write(root.join(version).join("settings.toml"), version).expect("written");
            symlink(root.join(version), root.join("a/next")).expect("linked");
            fs::rename(root.join("a/next"), root.join("a/b")).expect("exchanged");
            told(&mut changes).await;
        }
        fs::write(&path, "through the new link").expect("written");
        told(&mut changes).await;
        fs::remove_file(root.join("a/b")).expect("removed");
        fs::create_dir(root.join("a/b")).expect("made");
        told(&mut changes).await;
        let _socket = UnixListener::bind(&path).expect("bound");
        told(&mut changes).await;
    }
}
