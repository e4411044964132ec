//! A tenant of its own for each test, and short words for what is asked of the room.

use dfu::ranges::Ranges as _;
use hookswitch::shell::store::packages::OpenPackage;
use hookswitch::shell::tenant::{CaFile, TenantConfig, TenantRoom};
use hub::machine::{Enrolment, Owed, Sha256, TenantAnswer, TenantFailure, TenantRequest, Verified};
use hub::protocol::Problem;
use hub::tenancy::TenantSource;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tenant::policy::PolicyDocument;
use tenant::secret::Secret;

/// A tenant in a folder of its own, with a policy and a package published as version 2.
pub(crate) struct Tenant {
    folder: tempfile::TempDir,
    made: serde_json::Value,
}

impl Tenant {
    pub(crate) fn new(publish: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("tenant");
        let made = run(&["init", "--tenant-id", "contoso", "--json"], &dir);
        let tenant = Self { folder, made: serde_json::from_str(&made).unwrap() };
        let document = serde_json::json!({
            "schema": 1,
            "company": "Contoso",
            "polling_s": 600,
            "groups": [
                {"id": "pilots", "name": "Pilots", "priority": 1, "rule": {"kind": "manual"}},
            ],
        });
        std::fs::write(tenant.dir().join("tenant.json"), document.to_string()).unwrap();
        let firmware: Vec<u8> =
            (0..3_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        std::fs::write(tenant.dir().join("fw.zip"), firmware).unwrap();
        tenant.publish(publish);
        tenant
    }

    pub(crate) fn dir(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn metadata(&self) -> PathBuf {
        self.dir().join("tenant/repository/metadata")
    }

    pub(crate) fn packages(&self) -> PathBuf {
        self.dir().join("agent/packages")
    }

    pub(crate) fn publish(&self, more: &[&str]) {
        let (policy, firmware) = (self.dir().join("tenant.json"), self.dir().join("fw.zip"));
        let mut arguments = vec!["publish", "--policy", policy.to_str().unwrap(), "--target"];
        arguments.push(firmware.to_str().unwrap());
        arguments.extend(more);
        run(&arguments, &self.dir().join("tenant"));
    }

    pub(crate) fn serve(&self, more: &[&str]) -> (Server, String) {
        self.serve_with("127.0.0.1:0", more)
    }

    pub(crate) fn serve_at(&self, address: &str) -> (Server, String) {
        self.serve_with(address, &[])
    }

    fn serve_with(&self, address: &str, more: &[&str]) -> (Server, String) {
        let mut child = Command::new(binary())
            .args(["serve", "--listen", address, "--dir"])
            .arg(self.dir().join("tenant"))
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("serving ").expect("the server says where it is").to_owned();
        (Server(child), url)
    }

    pub(crate) fn secret(&self, name: &str) -> String {
        self.made[name].as_str().unwrap().to_owned()
    }

    pub(crate) fn config(&self, url: &str) -> TenantConfig {
        TenantConfig {
            // One tenant, at whatever address it is today.
            name: "contoso".to_owned(),
            source: TenantSource::named(url),
            tenant_id: "contoso".to_owned(),
            tenant_token: self.secret("TENANT_TOKEN"),
            pinned_root_sha256: Some(self.secret("TENANT_ROOT")),
            extra_ca: Some(ca(std::fs::read(self.dir().join("tenant/ca.pem")).unwrap())),
            data: self.dir().join("agent"),
        }
    }

    pub(crate) fn room(&self, url: &str) -> TenantRoom {
        let mut room = TenantRoom::new(self.config(url)).unwrap();
        room.use_key(&key());
        room
    }
}

pub(crate) fn ca(pem: Vec<u8>) -> CaFile {
    CaFile { path: "/etc/company/ca.pem".to_owned(), pem }
}

pub(crate) struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Ends when it is dropped, and the connections through it with it.
pub(crate) struct Throttle {
    #[expect(dead_code, reason = "held, not read")]
    end: tokio::sync::oneshot::Sender<()>,
    /// Connections that the agent holds open.
    open: Arc<AtomicUsize>,
}

impl Throttle {
    pub(crate) async fn until_open(&self, connections: usize) {
        while self.open.load(Ordering::SeqCst) != connections {
            tokio::task::yield_now().await;
        }
    }
}

/// An address that leads to the server at `url`, where a connection stands still after `most` bytes of answers.
pub(crate) fn throttled(url: &str, most: usize) -> (String, Throttle) {
    let to = url.strip_prefix("https://").unwrap().to_owned();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let here = format!("https://{}", listener.local_addr().unwrap());
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let open = Arc::new(AtomicUsize::new(0));
    let throttle = Throttle { end, open: open.clone() };
    tokio::spawn(async move {
        let pass = async {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                let (to, open) = (to.clone(), open.clone());
                connections.spawn(async move {
                    let far = tokio::net::TcpStream::connect(to).await?;
                    let ((mut from_near, mut to_near), (from_far, mut to_far)) =
                        (near.into_split(), far.into_split());
                    let asked = tokio::io::copy(&mut from_near, &mut to_far);
                    let answered = async {
                        let mut some = tokio::io::AsyncReadExt::take(from_far, most as u64);
                        tokio::io::copy(&mut some, &mut to_near).await?;
                        std::future::pending::<std::io::Result<u64>>().await
                    };
                    open.fetch_add(1, Ordering::SeqCst);
                    let ended = tokio::select! {
                        ended = asked => ended,
                        ended = answered => ended,
                    };
                    open.fetch_sub(1, Ordering::SeqCst);
                    ended
                });
            }
        };
        tokio::select! {
            () = pass => {}
            _ = ended => {}
        }
    });
    (here, throttle)
}

pub(crate) fn binary() -> PathBuf {
    // target/debug/deps/tenant-… → target/debug/hookswitch-tenant
    let path = std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join("hookswitch-tenant");
    assert!(path.is_file(), "{} is missing: run `cargo build -p tenant` first", path.display());
    path
}

pub(crate) fn run(arguments: &[&str], dir: &Path) -> String {
    let output = Command::new(binary()).args(arguments).arg("--dir").arg(dir).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

pub(crate) fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for path in files(from) {
        let copy = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_folder(&path, &copy);
        } else {
            std::fs::copy(&path, &copy).unwrap();
        }
    }
}

pub(crate) fn published_file(tenant: &Tenant, name: &str) -> PathBuf {
    let targets = files(&tenant.dir().join("tenant/repository/targets"));
    targets.into_iter().find(|path| path.to_str().unwrap().ends_with(name)).unwrap()
}

/// What, where, what next.
pub(crate) fn clear(problem: &Problem) {
    assert!(
        !problem.what().is_empty() && !problem.place().is_empty() && !problem.next().is_empty(),
        "{problem:?}"
    );
}

/// The host's key: the same in all rooms of a test.
pub(crate) fn key() -> Secret {
    Secret::new("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8")
}

pub(crate) async fn enrol(room: &mut TenantRoom) -> Result<Enrolment, TenantFailure> {
    match room.perform(TenantRequest::Enrol { system_id: "S-1".to_owned(), host_key: key() }).await {
        TenantAnswer::Enrolled(answer) => answer,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn policy(
    room: &mut TenantRoom,
    have: Option<u64>,
) -> Result<Option<Verified<PolicyDocument>>, TenantFailure> {
    match room.perform(TenantRequest::FetchPolicy { have }).await {
        TenantAnswer::Policy(answer) => answer,
        other => panic!("{other:?}"),
    }
}

pub(crate) type Steps = Vec<(u64, u64)>;

pub(crate) async fn target(
    room: &mut TenantRoom,
    name: &str,
) -> Result<(Verified<Vec<u8>>, Steps), TenantFailure> {
    keeping(room, name, &BTreeSet::new()).await
}

/// While the packages `keep` may not make room.
pub(crate) async fn keeping(
    room: &mut TenantRoom,
    name: &str,
    keep: &BTreeSet<Sha256>,
) -> Result<(Verified<Vec<u8>>, Steps), TenantFailure> {
    let steps = RefCell::new(Vec::new());
    let progress = |done, total| steps.borrow_mut().push((done, total));
    let OpenPackage { archive, file } = room.listed(name).await?.fetch(keep, progress).await?;
    let mut bytes = vec![0; file.len() as usize];
    file.read_at(0, &mut bytes).unwrap();
    Ok((Verified::vouched(bytes, archive.version()), steps.take()))
}

pub(crate) async fn deliver(
    room: &mut TenantRoom,
    owed: &[Owed],
    token: &str,
) -> Result<Vec<String>, TenantFailure> {
    let (system_id, token) = ("S-1".to_owned(), token.to_owned());
    match room.perform(TenantRequest::Deliver { system_id, owed: owed.to_vec(), token }).await {
        TenantAnswer::Delivered(answer) => answer,
        other => panic!("{other:?}"),
    }
}
