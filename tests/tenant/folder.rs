//! A tenant that is a folder: the same trust and the same bounds, and whoever may write there is no friend.

use crate::rig::{Tenant, clear, enrol, files, keeping, policy, published_file, run, target};
use hookswitch::shell::tenant::{TenantConfig, TenantRoom};
use hub::machine::{FailureKind, TenantAnswer, TenantFailure, TenantRequest};
use hub::problem::Code;
use hub::tenancy::TenantSource;
use rustix::fs::{CWD, Mode, mkfifoat};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

fn address(tenant: &Tenant) -> String {
    format!("file://{}/", tenant.dir().join("tenant/repository").display())
}

fn config(tenant: &Tenant) -> TenantConfig {
    TenantConfig {
        name: "folder".to_owned(),
        source: TenantSource::named(&address(tenant)),
        tenant_id: String::new(),
        tenant_token: String::new(),
        extra_ca: None,
        ..tenant.config("https://nowhere.example")
    }
}

fn room(tenant: &Tenant) -> TenantRoom {
    TenantRoom::new(config(tenant)).unwrap()
}

fn said(failure: &TenantFailure) -> (&str, FailureKind) {
    clear(&failure.problem);
    (failure.problem.code.as_str(), failure.kind)
}

#[tokio::test]
async fn policy_and_package_come_from_it_and_nothing_else_is_asked() {
    let tenant = Tenant::new(&[]);
    let mut room = room(&tenant);
    assert_eq!(room.pinned_root(), Some(tenant.secret("TENANT_ROOT")), "said in the settings");
    let document = policy(&mut room, None).await.unwrap().unwrap();
    assert_eq!((document.version(), document.get().company.as_str()), (2, "Contoso"));
    assert_eq!(policy(&mut room, Some(2)).await.unwrap(), None);
    let firmware = fs::read(tenant.dir().join("fw.zip")).unwrap();
    let (package, steps) = target(&mut room, "fw.zip").await.unwrap();
    assert_eq!(package.get(), &firmware);
    assert!(steps.len() > 2 && steps.is_sorted(), "{} steps", steps.len());
    tenant.publish(&[]);
    assert_eq!(policy(&mut room, Some(2)).await.unwrap().unwrap().version(), 3);

    let failure = enrol(&mut room).await.unwrap_err();
    assert_eq!(said(&failure), ("tenant-folder-takes-nothing", FailureKind::Rejected));
    let asked = TenantRequest::AssignedGroups {
        system_id: "S".to_owned(),
        user: "u".to_owned(),
        token: "t".to_owned(),
    };
    assert!(matches!(room.perform(asked).await, TenantAnswer::Assigned(Err(_))));
}

#[tokio::test]
async fn another_trust_anchor_than_the_pinned_one_is_refused() {
    let (tenant, other) = (Tenant::new(&[]), Tenant::new(&[]));
    let pinned = TenantConfig { pinned_root_sha256: Some(other.secret("TENANT_ROOT")), ..config(&tenant) };
    let failure = policy(&mut TenantRoom::new(pinned).unwrap(), None).await.unwrap_err();
    assert_eq!(said(&failure), ("tenant-root", FailureKind::Refused));
    assert!(!tenant.dir().join("agent/root.json").exists(), "it is not kept");
    // Without a pin there is nothing to trust: the first one that comes is not.
    let unpinned = TenantConfig { pinned_root_sha256: None, ..config(&tenant) };
    let failure = policy(&mut TenantRoom::new(unpinned).unwrap(), None).await.unwrap_err();
    assert_eq!(failure.problem.code, Code::TenantNotEnrolled);
    assert!(!tenant.dir().join("agent/root.json").exists());
    let share = TenantConfig { source: TenantSource::named("file://dc/share/"), ..config(&tenant) };
    assert_eq!(TenantRoom::new(share).unwrap_err().code, Code::TenantUrl);
}

/// What a moment ago was good is replaced by something else, and comes back.
async fn instead(tenant: &Tenant, path: &Path, put: impl FnOnce(&Path)) -> Result<(), TenantFailure> {
    let aside = tenant.dir().join("aside");
    fs::rename(path, &aside).unwrap();
    put(path);
    let mut room = room(tenant);
    let policy = policy(&mut room, None).await.map(drop);
    let found = match policy {
        Ok(()) => target(&mut room, "fw.zip").await.map(drop),
        failed => failed,
    };
    if path.is_dir() && !path.is_symlink() {
        fs::remove_dir_all(path).unwrap()
    } else {
        let _ = fs::remove_file(path);
    }
    fs::rename(&aside, path).unwrap();
    found
}

#[tokio::test]
async fn what_is_no_plain_file_is_neither_followed_nor_waited_for() {
    let tenant = Tenant::new(&[]);
    let elsewhere = tenant.dir().join("elsewhere");
    let (timestamp, package) = (tenant.metadata().join("timestamp.json"), published_file(&tenant, "fw.zip"));
    let targets = tenant.dir().join("tenant/repository/targets");
    // The same bytes behind a link, too: where a link leads, others say.
    for (path, folder) in
        [(&timestamp, false), (&package, false), (&tenant.metadata(), true), (&targets, true)]
    {
        let link = |path: &Path| {
            if folder {
                crate::rig::copy_folder(&tenant.dir().join("aside"), &elsewhere)
            } else {
                fs::copy(tenant.dir().join("aside"), &elsewhere).unwrap();
            }
            symlink(&elsewhere, path).unwrap();
        };
        let found = instead(&tenant, path, link).await;
        if folder {
            fs::remove_dir_all(&elsewhere).unwrap()
        } else {
            fs::remove_file(&elsewhere).unwrap()
        }
        assert_eq!(said(&found.unwrap_err()), ("tenant-folder-not-a-file", FailureKind::Refused), "{path:?}");
    }
    for path in [&timestamp, &package] {
        let fifo = |path: &Path| mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR).unwrap();
        // It would be waited for until the end of the test.
        let found = instead(&tenant, path, fifo).await;
        assert_eq!(said(&found.unwrap_err()), ("tenant-folder-not-a-file", FailureKind::Refused), "{path:?}");
        let device = |path: &Path| symlink("/dev/zero", path).unwrap();
        let found = instead(&tenant, path, device).await;
        assert_eq!(said(&found.unwrap_err()).0, "tenant-folder-not-a-file");
        let found = instead(&tenant, path, |path| fs::create_dir(path).unwrap()).await;
        assert_eq!(said(&found.unwrap_err()).0, "tenant-folder-not-a-file");
    }
    let mut room = room(&tenant);
    policy(&mut room, None).await.unwrap();
    target(&mut room, "fw.zip").await.unwrap();
}

#[tokio::test]
async fn what_is_lacking_changed_or_endless_is_refused() {
    let tenant = Tenant::new(&[]);
    let (timestamp, package) = (tenant.metadata().join("timestamp.json"), published_file(&tenant, "fw.zip"));
    let endless = |path: &Path| fs::File::create(path).unwrap().set_len(1 << 40).unwrap();
    let changed = |path: &Path| {
        let mut bytes = fs::read(tenant.dir().join("aside")).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(path, bytes).unwrap();
    };
    let found = instead(&tenant, &timestamp, |_| {}).await;
    assert_eq!(said(&found.unwrap_err()).0, "tenant-not-found");
    let found = instead(&tenant, &package, |_| {}).await;
    assert_eq!(said(&found.unwrap_err()).0, "tenant-not-found");
    let found = instead(&tenant, &timestamp, endless).await;
    assert_eq!(said(&found.unwrap_err()), ("tenant-oversize", FailureKind::Refused));
    let found = instead(&tenant, &package, endless).await;
    assert!(matches!(said(&found.unwrap_err()).0, "tenant-oversize" | "tenant-mismatch"));
    let found = instead(&tenant, &package, changed).await;
    assert_eq!(said(&found.unwrap_err()), ("tenant-mismatch", FailureKind::Mismatch));
    assert_eq!(files(&tenant.packages()), Vec::<PathBuf>::new(), "nothing of it is kept");
}

/// A share that is not mounted: it may be back, and nothing is forgotten.
#[tokio::test]
async fn a_folder_that_is_not_there_is_out_of_reach() {
    let tenant = Tenant::new(&[]);
    let mut room = room(&tenant);
    policy(&mut room, None).await.unwrap();
    let (here, away) = (tenant.dir().join("tenant/repository"), tenant.dir().join("away"));
    fs::rename(&here, &away).unwrap();
    for mounted in [false, true] {
        if mounted {
            fs::create_dir(&here).unwrap();
        }
        let failure = policy(&mut room, Some(2)).await.unwrap_err();
        assert_eq!(said(&failure), ("tenant-folder-unreadable", FailureKind::Unreachable), "{mounted}");
    }
    fs::remove_dir(&here).unwrap();
    fs::rename(&away, &here).unwrap();
    assert_eq!(policy(&mut room, Some(2)).await.unwrap(), None);
}

/// What expired is refused as from a server, and an older state of the folder, too.
#[tokio::test]
async fn what_is_old_is_refused() {
    let tenant = Tenant::new(&[]);
    let before = tenant.dir().join("before");
    crate::rig::copy_folder(&tenant.metadata(), &before);
    let mut room = room(&tenant);
    tenant.publish(&[]);
    assert_eq!(policy(&mut room, None).await.unwrap().unwrap().version(), 3);
    fs::copy(before.join("timestamp.json"), tenant.metadata().join("timestamp.json")).unwrap();
    assert_eq!(
        said(&policy(&mut room, Some(3)).await.unwrap_err()),
        ("tenant-rolled-back", FailureKind::Refused)
    );
    let tenant = Tenant::new(&["--expires-days", "0"]);
    let failure = policy(&mut self::room(&tenant), None).await.unwrap_err();
    assert_eq!(said(&failure), ("tenant-expired", FailureKind::Refused));
}

/// A copy that was cut short goes on where it ended; a beginning of something else is begun anew.
#[tokio::test]
async fn a_copy_that_was_cut_short_goes_on() {
    let tenant = Tenant::new(&[]);
    let firmware = fs::read(tenant.dir().join("fw.zip")).unwrap();
    let mut room = room(&tenant);
    for (beginning, first) in [(firmware[..1_000_000].to_vec(), 1_000_000), (vec![7; 1_000_000], 0)] {
        target(&mut room, "fw.zip").await.unwrap();
        let whole = files(&tenant.packages()).remove(0);
        fs::remove_file(&whole).unwrap();
        fs::write(whole.with_extension("part"), beginning).unwrap();
        let (package, steps) = keeping(&mut room, "fw.zip", &BTreeSet::new()).await.unwrap();
        assert_eq!(package.get(), &firmware);
        let least = steps.iter().map(|(done, _)| *done).min().unwrap();
        assert!(if first > 0 { least >= first } else { least < 1_000_000 }, "{least}");
        assert_eq!(files(&tenant.packages()).len(), 1);
        fs::remove_file(whole).unwrap();
    }
}

/// The same folder on a web server, here the tenant's own: no token and no signature is shown.
#[tokio::test]
async fn a_static_tree_is_read_without_a_name() {
    let tenant = Tenant::new(&[]);
    let (_server, url) = tenant.serve(&[]);
    let config = TenantConfig {
        source: TenantSource::named(&format!("folder+{url}/")),
        extra_ca: tenant.config(&url).extra_ca,
        ..config(&tenant)
    };
    let mut room = TenantRoom::new(config).unwrap();
    // This one gives its targets to hosts alone: the metadata was read, the policy asked for by nobody in particular.
    let failure = policy(&mut room, None).await.unwrap_err();
    assert_eq!(failure.problem.code, Code::TenantUnauthorized, "{failure:?}");
    assert!(failure.problem.place().contains("/targets/"), "{failure:?}");
    let hosts = run(&["hosts", "--json"], &tenant.dir().join("tenant"));
    assert!(!hosts.contains("S-1") && !hosts.contains("\"system_id\""), "{hosts}");
}
