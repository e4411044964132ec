//! A tenant's folder on a disk or a share. Whoever may write there is believed in nothing that is not signed, and a share
//! may hang: each file is read by a thread that is waited for no longer than a deadline, and that no end of the program
//! waits for.

use super::http;
use crate::shell::os::{self, Distrust};
use futures_util::{Stream, stream};
use hub::machine::{FailureKind, TenantFailure};
use hub::problem::Reason;
use hub::protocol::Detail;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

/// How much is read at once, bytes.
const PIECE_BYTES: usize = 64 * 1024;
/// For a file to open, and for each piece of it.
const PIECE_TIMEOUT: Duration = Duration::from_secs(15);
/// Files that are read at once. A share that hangs holds as many threads, and no more.
const LANES: usize = 4;
/// What a repository has in it.
const FOLDERS: [&str; 2] = ["metadata", "targets"];
/// Longest name of a file: a digest, a dot, and a target's name.
const MAX_NAME: usize = 64 + 1 + 128;

/// The folder that has `metadata` and `targets` in it.
#[derive(Clone, Debug)]
pub(super) struct Disk {
    root: PathBuf,
    lanes: Arc<Semaphore>,
    /// [`PIECE_TIMEOUT`].
    patience: Duration,
}

/// Bytes that came, or that none will.
type Piece = Result<tough::Bytes, TenantFailure>;

impl Disk {
    /// `None` = this system has no such place.
    pub(super) fn at(url: &Url) -> Option<Self> {
        let (root, lanes) = (url.to_file_path().ok()?, Arc::new(Semaphore::new(LANES)));
        Some(Self { root, lanes, patience: PIECE_TIMEOUT })
    }

    /// The file of this address from byte `from` on, or from its start if it is not that long; the byte it begins with.
    /// `None` = the folder is there and the file is not. `time`: for all of it.
    pub(super) async fn open(
        &self,
        url: &Url,
        from: u64,
        time: Duration,
    ) -> Result<Option<(u64, impl Stream<Item = Piece> + Send + Sync + use<>)>, TenantFailure> {
        let place = http::place(url);
        let Some(names) = names(url) else { return Err(not_a_file(&place)) };
        let silent = || silent(&place);
        let lane = timeout(self.patience, self.lanes.clone().acquire_owned()).await;
        let lane = lane.ok().and_then(Result::ok).ok_or_else(silent)?;
        let (opened, is_open) = oneshot::channel();
        let (pieces, came) = mpsc::channel(1);
        let root = self.root.clone();
        let read = move || read(&root, &names, from, lane, opened, &pieces);
        let thread = std::thread::Builder::new().name("tenant folder".to_owned()).spawn(read);
        thread.map_err(|error| unreadable(&place, Detail::verbatim(error)))?;
        let found = match timeout(self.patience, is_open).await {
            Ok(Ok(Ok(found))) => found,
            Ok(Ok(Err(Distrust::System(_, error)))) => {
                return Err(unreadable(&place, Detail::verbatim(error)));
            }
            Ok(Ok(Err(_))) => return Err(not_a_file(&place)),
            Ok(Err(_)) | Err(_) => return Err(silent()),
        };
        let end = Instant::now() + time;
        Ok(found.map(|begins| (begins, stream_of(came, place, self.patience, end))))
    }

    /// A small file whole; `None` if it has more than `most` bytes.
    pub(super) async fn whole(&self, url: &Url, most: usize) -> Result<Option<Vec<u8>>, TenantFailure> {
        let Some((_, pieces)) = self.open(url, 0, http::REQUEST_TIMEOUT).await? else {
            return Err(unreadable(&http::place(url), Detail::new("folder-lacking", "it is not there")));
        };
        let (mut whole, mut pieces) = (Vec::new(), Box::pin(pieces));
        while let Some(piece) = futures_util::StreamExt::next(&mut pieces).await {
            whole.extend_from_slice(&piece?);
            if whole.len() > most {
                return Ok(None);
            }
        }
        Ok(Some(whole))
    }
}

/// The folder and the file that an address names. Each is a plain name on every disk.
fn names(url: &Url) -> Option<[String; 2]> {
    let mut segments = url.path_segments()?.rev();
    let (file, folder) = (segments.next()?, segments.next()?);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let fits = (1..=MAX_NAME).contains(&file.len()) && file.bytes().all(plain) && !file.starts_with('.');
    (fits && FOLDERS.contains(&folder)).then(|| [folder.to_owned(), file.to_owned()])
}

/// On a thread of its own, which may hang.
fn read(
    root: &Path,
    [folder, name]: &[String; 2],
    from: u64,
    _lane: OwnedSemaphorePermit,
    opened: oneshot::Sender<Result<Option<u64>, Distrust>>,
    pieces: &mpsc::Sender<std::io::Result<tough::Bytes>>,
) {
    let found = os::open_below(root, &[folder, name]).and_then(|file| {
        let Some(mut file) = file else { return Ok(None) };
        let system = |error| Distrust::System(root.join(folder).join(name), error);
        let from = if file.metadata().map_err(system)?.len() >= from { from } else { 0 };
        file.seek(SeekFrom::Start(from)).map_err(system)?;
        Ok(Some((from, file)))
    });
    let mut file = match found {
        Ok(Some((from, file))) => {
            let _ = opened.send(Ok(Some(from)));
            file
        }
        Ok(None) => return drop(opened.send(Ok(None))),
        Err(distrust) => return drop(opened.send(Err(distrust))),
    };
    loop {
        let mut piece = vec![0; PIECE_BYTES];
        let read = match file.read(&mut piece) {
            Ok(0) => return,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            read => read,
        };
        let is_last = read.is_err();
        let piece = read.map(|bytes| {
            piece.truncate(bytes);
            piece.into()
        });
        // Nobody wants more.
        if pieces.blocking_send(piece).is_err() || is_last {
            return;
        }
    }
}

fn stream_of(
    came: mpsc::Receiver<std::io::Result<tough::Bytes>>,
    place: String,
    patience: Duration,
    end: Instant,
) -> impl Stream<Item = Piece> + Send + Sync {
    stream::unfold(Some((came, place)), move |state| async move {
        let (mut came, place) = state?;
        match timeout_at(end.min(Instant::now() + patience), came.recv()).await {
            Ok(None) => None,
            Ok(Some(Ok(piece))) => Some((Ok(piece), Some((came, place)))),
            Ok(Some(Err(error))) => Some((Err(unreadable(&place, Detail::verbatim(error))), None)),
            Err(_) => Some((Err(silent(&place)), None)),
        }
    })
}

/// As a server that cannot be reached: it may be back.
fn unreadable(place: &str, why: Detail) -> TenantFailure {
    let problem = Reason::TenantFolderUnreadable { detail: why }.at(place);
    http::failure(FailureKind::Unreachable, problem)
}

fn silent(place: &str) -> TenantFailure {
    let seconds = PIECE_TIMEOUT.as_secs();
    let why = Detail::new("folder-silent", format!("nothing came for {seconds} s"));
    unreadable(place, why.with("seconds", seconds))
}

fn not_a_file(place: &str) -> TenantFailure {
    let problem = Reason::TenantFolderNotAFile.at(place);
    http::failure(FailureKind::Refused, problem)
}

/// As [`http::send`], from a place that gives the same to everybody: many of those say "forbidden" of what is not there.
pub(super) async fn send_open(request: reqwest::RequestBuilder) -> Result<reqwest::Response, TenantFailure> {
    let response = request.send().await.map_err(|error| http::transport_failure(&error))?;
    let is_hidden = response.status() == reqwest::StatusCode::FORBIDDEN;
    http::accepted(response, &[], None).await.map_err(|attempt| {
        let failure = attempt.into_failure();
        let kind = if is_hidden { FailureKind::Absent } else { failure.kind };
        TenantFailure { kind, ..failure }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::StreamExt as _;
    use hub::problem::Code;

    /// The thread that hangs holds its lane; nobody waits for it.
    #[tokio::test]
    async fn a_share_that_hangs_is_given_up() {
        let place = "file:///srv/acme/metadata/timestamp.json";
        let (pieces, came) = mpsc::channel(1);
        pieces.send(Ok(tough::Bytes::from_static(b"{"))).await.expect("there is room");
        let (patience, end) = (Duration::from_millis(20), Instant::now() + Duration::from_secs(3600));
        let mut stream = Box::pin(stream_of(came, place.to_owned(), patience, end));
        assert!(matches!(stream.next().await, Some(Ok(piece)) if &piece[..] == b"{"));
        let failure = stream.next().await.expect("an end").expect_err("nothing more came");
        assert_eq!(failure.kind, FailureKind::Unreachable);
        assert!(failure.problem.what().ends_with("nothing came for 15 s"), "{}", failure.problem);
        assert!(stream.next().await.is_none());
        // All lanes hang: the next file is not waited for longer than the others.
        let disk = Disk::at(&Url::parse("file:///srv/acme/").expect("an address")).expect("a place");
        let disk = Disk { patience, ..disk };
        let _hang: Vec<_> =
            (0..LANES).map(|_| disk.lanes.clone().try_acquire_owned().expect("free")).collect();
        let url = Url::parse(place).expect("an address");
        let Err(failure) = disk.open(&url, 0, Duration::from_secs(60)).await else {
            panic!("there is no lane")
        };
        assert_eq!(failure.problem.code, Code::TenantFolderUnreadable);
    }

    #[test]
    fn names_that_could_lead_elsewhere_are_none() {
        let named = |address: &str| names(&Url::parse(address).expect("an address"));
        let plain = ["targets".to_owned(), "0a.fw-1.2.zip".to_owned()];
        assert_eq!(named("file:///srv/acme/targets/0a.fw-1.2.zip"), Some(plain));
        for other in [
            "file:///srv/acme/targets/..%2Fkeys",
            "file:///srv/acme/targets/.staging",
            "file:///srv/acme/targets/",
            "file:///srv/acme/keys/root.pk8",
            "file:///srv/acme/targets/a/b",
            "file:///srv/acme/metadata/a%00b",
            "file:///metadata",
        ] {
            assert_eq!(named(other), None, "{other}");
        }
    }

    /// Root metadata of the next version is asked for at each poll, and is nearly never there.
    #[tokio::test]
    async fn of_an_open_folder_forbidden_is_absent() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let url = format!("http://{}/metadata/2.root.json", listener.local_addr().expect("a listener"));
        tokio::spawn(async move {
            use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
            loop {
                let (mut stream, _) = listener.accept().await.expect("a listener");
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let answer = "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = reqwest::Client::new();
        let kind = |sent: Result<reqwest::Response, TenantFailure>| sent.expect_err("refused").kind;
        assert_eq!(kind(send_open(client.get(&url)).await), FailureKind::Absent);
        assert_eq!(
            kind(http::send(client.get(&url)).await),
            FailureKind::Rejected,
            "a tenant that refuses is there"
        );
    }
}
