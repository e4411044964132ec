//! The settings come to name another tenant, or the same one anew, while the agent runs.

use crate::rig::{Tenant, enrol, policy};
use hookswitch::shell::folders::Folders;
use hookswitch::shell::settings_files;
use hookswitch::shell::tenancy::Tenancies;
use hub::problem::Code;
use hub::settings::Settings;
use std::cell::Cell;
use std::path::Path;
use std::time::Duration;

struct Home {
    folder: tempfile::TempDir,
    folders: Folders,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let folders = Folders::new(Some(folder.path())).unwrap();
        Self { folder, folders }
    }

    fn name(&self, tenant: &Tenant, url: &str, ca: &Path) {
        let token = tenant.secret("TENANT_TOKEN");
        let text = format!(
            "server_url = \"{url}\"\ntenant_id = \"contoso\"\ntenant_token = \"{token}\"\ntenant_ca = {ca:?}\n"
        );
        std::fs::write(self.folders.user_settings(), text).unwrap();
    }

    fn tenancies(&self) -> Tenancies {
        let (settings, problems) = Settings::resolve(&settings_files::layers(&self.folders));
        assert_eq!(problems, []);
        Tenancies::new(self.folders.clone(), settings)
    }
}

/// Its trust anchor comes after the settings named another tenant: it says nothing of that one.
#[tokio::test]
async fn an_enrolment_that_ends_late_leaves_nothing_to_the_next_tenant() {
    let (one, other, home) = (Tenant::new(&[]), Tenant::new(&[]), Home::new());
    let ((_s1, at_one), (_s2, at_other)) = (one.serve(&[]), other.serve(&[]));
    home.name(&one, &at_one, &one.dir().join("tenant/ca.pem"));
    let mut tenancies = home.tenancies();
    let mut left = tenancies.current().1.expect("a tenant");
    home.name(&other, &at_other, &other.dir().join("tenant/ca.pem"));
    let (tenancy, room) = tenancies.changed().expect("another one");
    let mut next = room.expect("a tenant");
    assert_eq!(tenancy.root_sha256, None);
    for room in [&mut left, &mut next] {
        room.use_key(&crate::rig::key());
    }

    assert_eq!(enrol(&mut left).await.unwrap().root_sha256, one.secret("TENANT_ROOT"));
    assert_eq!(next.pinned_root(), None, "it is the other one's");
    assert_eq!(enrol(&mut next).await.unwrap().root_sha256, other.secret("TENANT_ROOT"));
    assert_eq!(next.pinned_root(), Some(other.secret("TENANT_ROOT")));
    assert_eq!(policy(&mut next, None).await.unwrap().unwrap().version(), 2);
    // And back: nothing of that one stands in the way.
    assert_eq!(enrol(&mut left).await.unwrap().root_sha256, one.secret("TENANT_ROOT"));
    assert_eq!(policy(&mut left, None).await.unwrap().unwrap().version(), 2);
}

/// The settings stay as they are; the file they name does not.
#[tokio::test]
async fn a_renewed_ca_file_counts_at_once() {
    let (tenant, home) = (Tenant::new(&[]), Home::new());
    let (_server, url) = tenant.serve(&[]);
    let right = std::fs::read(tenant.dir().join("tenant/ca.pem")).unwrap();
    let ca = home.folder.path().join("ca.pem");
    std::fs::copy(Tenant::new(&[]).dir().join("tenant/ca.pem"), &ca).unwrap();
    home.name(&tenant, &url, &ca);
    let mut tenancies = home.tenancies();
    let mut room = tenancies.current().1.expect("a tenant");
    room.use_key(&crate::rig::key());
    assert_eq!(enrol(&mut room).await.unwrap_err().problem.code, Code::TenantCertificate);
    assert!(tenancies.changed().is_none(), "nothing is new");

    let told = Cell::new(false);
    let watch = settings_files::watch(&home.folders, || told.set(true));
    let renew = async {
        std::fs::write(&ca, &right).unwrap();
        while !told.get() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        // It is there before the file is written.
        biased;
        () = watch => panic!("it watches for ever"),
        renewed = tokio::time::timeout(Duration::from_secs(20), renew) => renewed.expect("told of the file"),
    }
    let (tenancy, room) = tenancies.changed().expect("said anew");
    assert_eq!(tenancy.fault, None);
    let mut room = room.expect("a tenant");
    room.use_key(&crate::rig::key());
    enrol(&mut room).await.unwrap();
    assert!(tenancies.changed().is_none(), "said once");
}
