//! The tenant: enrolment, signed policy, packages and reports over one HTTPS client.
//!
//! `data` holds `root.json` (the pinned trust anchor, mode 0600), `tuf/` (newest root, timestamp and snapshot, against
//! rollback) and `packages/`. Nothing here decides when: each request is answered once, in order.

#![expect(clippy::disallowed_methods, reason = "files, sockets and the clock of the tenant room")]

use self::folder::Disk;
use self::refusal::{Refusal, refused};
use super::store::packages::Packages;
use aws_lc_rs::digest::{SHA256, digest};
use hub::machine::{
    Credential, Enrolment, FailureKind, MachineRole, TenantAnswer, TenantFailure, TenantRequest, Verified,
};
use hub::problem::Reason;
use hub::protocol::{Detail, Problem};
use hub::tenancy::TenantSource;
use reqwest::{Certificate, Client};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use tenant::policy::PolicyDocument;
use tenant::secret::Secret;
use tenant::wire::{EnrolRequest, EnrolResponse, ManualGroups};
use tough::schema::{Root, Signed};
use url::Url;

mod data;
mod folder;
mod http;
mod key;
mod package;
mod proof;
mod refusal;
mod reports;
mod tuf;

pub use key::fresh as fresh_key;
pub use package::Listed;

/// Largest `root.json`, bytes.
const MAX_ROOT_BYTES: usize = 256 * 1024;
/// Most manual groups of a user that are read.
const MAX_ASSIGNED: usize = 1_000;

/// Where the packages of the tenant whose folder is `data` are.
pub fn packages_folder(data: &Path) -> PathBuf {
    data.join("packages")
}

/// Whom to talk to, and what to trust.
#[derive(Clone)]
pub struct TenantConfig {
    /// Tells this tenant from all others ([`hub::machine::Tenancy::name`]): what is in `data` of another one is forgotten.
    pub name: String,
    /// `SERVER_URL`.
    pub source: TenantSource,
    /// `TENANT_ID`; a folder may do without.
    pub tenant_id: String,
    /// `TENANT_TOKEN`; a folder has none. Never logged.
    pub tenant_token: String,
    /// `TENANT_ROOT`: SHA-256 of `root.json`, 64 hex digits; `None` = trust the first one seen over TLS. A folder
    /// needs it.
    pub pinned_root_sha256: Option<String>,
    /// Certificate authorities for the tenant's TLS, beside the machine's.
    pub extra_ca: Option<CaFile>,
    /// Folder of this room; made with mode 0700.
    pub data: PathBuf,
}

/// A file of PEM certificates, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaFile {
    pub path: String,
    pub pem: Vec<u8>,
}

impl std::fmt::Debug for TenantConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TenantConfig")
            .field("source", &self.source)
            .field("tenant_id", &self.tenant_id)
            .field("pinned_root_sha256", &self.pinned_root_sha256)
            .field("data", &self.data)
            .finish_non_exhaustive()
    }
}

/// One tenant. Performs one request at a time.
#[derive(Debug)]
pub struct TenantRoom {
    source: TenantSource,
    base: http::Base,
    /// The folder that it is, if it is one here.
    disk: Option<Disk>,
    tenant_id: String,
    tenant_token: Secret,
    pin: Option<String>,
    name: String,
    extra_ca: Vec<Certificate>,
    data: PathBuf,
    client: Option<Client>,
    signer: proof::Signer,
    /// The last access token that came by; packages and the policy document need it.
    token: Option<Secret>,
}

impl TenantRoom {
    /// Checks the configuration and makes the folders. Opens no connection and loads no trust store.
    ///
    /// # Errors
    /// `tenant-url`, `tenant-pin`, `tenant-ca`, `tenant-data`.
    pub fn new(config: TenantConfig) -> Result<Self, Problem> {
        let base = http::Base::parse(&config.source)?;
        let disk = Url::parse(config.source.url()).ok().filter(|url| url.scheme() == "file");
        let pin = config.pinned_root_sha256.map(|pin| pin.trim().to_ascii_lowercase());
        if let Some(pin) = &pin
            && (pin.len() != 64 || !pin.bytes().all(|digit| digit.is_ascii_hexdigit()))
        {
            return Err(Reason::TenantPin.at("TENANT_ROOT"));
        }
        let extra_ca = config.extra_ca.as_ref().map(http::certificates).transpose()?.unwrap_or_default();
        for folder in [config.data.clone(), config.data.join("tuf"), packages_folder(&config.data)] {
            super::os::private_folder(&folder).map_err(|error| data::problem(&folder, &error))?;
        }
        Ok(Self {
            name: config.name,
            disk: disk.as_ref().and_then(Disk::at),
            source: config.source,
            signer: proof::Signer::new(base.clone()),
            base,
            tenant_id: config.tenant_id,
            tenant_token: Secret::new(config.tenant_token),
            pin,
            extra_ca,
            data: config.data,
            client: None,
            token: None,
        })
    }

    /// The access token to use for the policy and for packages until another one comes by: after a restart the
    /// credential comes from the store, not from an enrolment.
    pub fn use_token(&mut self, access_token: &str) {
        self.token = Some(Secret::new(access_token));
    }

    /// The key of the host as which the agent talks to the tenant, until another one comes by with an enrolment.
    pub fn use_key(&mut self, seed: &Secret) {
        self.signer.use_key(seed);
    }

    /// As which host, and with which credential.
    pub fn speak_for(&mut self, role: &MachineRole) {
        self.use_key(role.host_key());
        if let Some(token) = role.access_token() {
            self.use_token(token);
        }
    }

    /// SHA-256 of the trust anchor that is kept, hex; `None` before the first enrolment.
    pub fn pinned_root(&self) -> Option<String> {
        if !self.source.can_enrol() {
            return self.pin.clone();
        }
        if data::is_of_another(&self.data, &self.name).unwrap_or_default() {
            return None;
        }
        self.stored_root().ok().flatten().map(|root| sha256_hex(&root))
    }

    /// Where it is.
    pub fn source(&self) -> &TenantSource {
        &self.source
    }

    /// Does what is asked.
    pub async fn perform(&mut self, request: TenantRequest) -> TenantAnswer {
        match request {
            TenantRequest::FetchPolicy { have } => TenantAnswer::Policy(self.fetch_policy(have).await),
            TenantRequest::Enrol { .. } if !self.source.can_enrol() => {
                TenantAnswer::Enrolled(Err(self.no_server()))
            }
            TenantRequest::Deliver { .. } if !self.source.can_report() => {
                TenantAnswer::Delivered(Err(self.no_server()))
            }
            TenantRequest::AssignedGroups { .. } if !self.source.can_report() => {
                TenantAnswer::Assigned(Err(self.no_server()))
            }
            TenantRequest::Enrol { system_id, host_key } => {
                self.use_key(&host_key);
                self.signer.speak_as(&system_id);
                TenantAnswer::Enrolled(self.enrol(system_id).await)
            }
            TenantRequest::Deliver { system_id, owed, token } => {
                self.use_token(&token);
                self.signer.speak_as(&system_id);
                TenantAnswer::Delivered(self.deliver(&system_id, &owed, Secret::new(token)).await)
            }
            TenantRequest::AssignedGroups { system_id, user, token } => {
                self.use_token(&token);
                self.signer.speak_as(&system_id);
                TenantAnswer::Assigned(self.assigned(&system_id, &user, &Secret::new(token)).await)
            }
        }
    }

    /// The hub does not ask a folder for what only a server has.
    fn no_server(&self) -> TenantFailure {
        let problem = Reason::TenantFolderTakesNothing.at(self.source.address());
        http::failure(FailureKind::Rejected, problem)
    }

    fn client(&mut self) -> Result<Client, TenantFailure> {
        if let Some(client) = &self.client {
            return Ok(client.clone());
        }
        let client = http::client(&self.extra_ca)
            .map_err(|problem| http::failure(FailureKind::Unreachable, problem))?;
        Ok(self.client.insert(client).clone())
    }

    async fn enrol(&mut self, system_id: String) -> Result<Enrolment, TenantFailure> {
        self.take_folder()?;
        let stored = self.stored_root()?;
        if let (Some(pin), Some(root)) = (&self.pin, &stored) {
            self.same_root(pin, &sha256_hex(root))?;
        }
        let client = self.client()?;
        let tenant_token = self.tenant_token.clone();
        let host_key = self.signer.public()?;
        let body = EnrolRequest { tenant_id: self.tenant_id.clone(), tenant_token, system_id, host_key };
        let url = self.base.join(tenant::paths::ENROL);
        let request = client
            .post(&url)
            .header(reqwest::header::CONTENT_TYPE, "application/json")
            .body(reports::to_json(&body)?);
        let answer = self.signer.call(request, &[&self.tenant_token]).await.map_err(explained)?;
        let response: EnrolResponse = http::json(&answer, &url)?;
        let root_sha256 = match stored {
            Some(root) => {
                let ours = sha256_hex(&root);
                self.same_root(&ours, &response.root_sha256)?;
                ours
            }
            None => self.first_root(&tuf::Reach::Web(client), &response.root_sha256).await?.1,
        };
        let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let credential = Credential {
            access_token: response.access_token.expose().to_owned(),
            expires_unix_s: now_s.saturating_add(u64::from(response.expires_in_s)),
        };
        self.token = Some(response.access_token);
        Ok(Enrolment { credential, root_sha256 })
    }

    /// Fetches and keeps the trust anchor: the one that is pinned, or, without a pin, the one that comes over TLS. With its
    /// SHA-256.
    async fn first_root(
        &self,
        from: &tuf::Reach,
        announced: &str,
    ) -> Result<(Vec<u8>, String), TenantFailure> {
        let url = self.base.url(tenant::paths::ROOT)?;
        let place = http::place(&url);
        let root = match from {
            tuf::Reach::Disk(disk) => disk.whole(&url, MAX_ROOT_BYTES).await?,
            tuf::Reach::Web(client) | tuf::Reach::Server { client, .. } => {
                let response = http::send(client.get(url).timeout(http::REQUEST_TIMEOUT)).await?;
                http::read_whole(response, MAX_ROOT_BYTES).await?
            }
        };
        let root = root.ok_or_else(|| {
            let why = format!("root.json has more than {MAX_ROOT_BYTES} bytes");
            let why = Detail::new("root-too-large", why).with("most", MAX_ROOT_BYTES);
            refused(Refusal::Oversize, why, &place)
        })?;
        let found = sha256_hex(&root);
        self.same_root(self.pin.as_deref().unwrap_or(announced), &found)?;
        let wrong = |code, error: &dyn std::fmt::Display| {
            refused(code, Detail::verbatim(format_args!("root.json: {error}")), &place)
        };
        let signed: Signed<Root> =
            serde_json::from_slice(&root).map_err(|error| wrong(Refusal::Metadata, &error))?;
        signed.signed.verify_role(&signed).map_err(|error| wrong(Refusal::Signature, &error))?;
        self.keep_root(&root)?;
        Ok((root, found))
    }

    fn reach(&mut self) -> Result<tuf::Reach, TenantFailure> {
        Ok(match &self.disk {
            Some(disk) => tuf::Reach::Disk(disk.clone()),
            None if !self.source.can_enrol() => tuf::Reach::Web(self.client()?),
            None => tuf::Reach::Server {
                client: self.client()?,
                signer: self.signer.clone(),
                token: self.token.clone(),
            },
        })
    }

    fn same_root(&self, ours: &str, theirs: &str) -> Result<(), TenantFailure> {
        if ours.eq_ignore_ascii_case(theirs) {
            return Ok(());
        }
        let theirs: String = theirs.chars().filter(char::is_ascii_hexdigit).take(64).collect();
        let problem = Reason::TenantRoot { found: theirs, pinned: ours.to_owned() }
            .at(self.base.join(tenant::paths::ROOT));
        Err(http::failure(FailureKind::Refused, problem))
    }

    /// Right before it is read or written, when nobody else does: what the tenant before was asked for may have come
    /// after the settings named this one.
    fn take_folder(&self) -> Result<(), TenantFailure> {
        data::take(&self.data, &self.name)
            .map_err(|error| http::failure(FailureKind::Refused, data::problem(&self.data, &error)))
    }

    fn root_path(&self) -> PathBuf {
        self.data.join("root.json")
    }

    fn stored_root(&self) -> Result<Option<Vec<u8>>, TenantFailure> {
        let path = self.root_path();
        match std::fs::read(&path) {
            Ok(root) => Ok(Some(root)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(http::failure(FailureKind::Refused, data::problem(&path, &error))),
        }
    }

    /// On disk whole or not at all, and only ever once.
    fn keep_root(&self, root: &[u8]) -> Result<(), TenantFailure> {
        let keep = || -> std::io::Result<()> {
            // 0600 by itself.
            let mut file = tempfile::NamedTempFile::new_in(&self.data)?;
            std::io::Write::write_all(&mut file, root)?;
            file.as_file().sync_all()?;
            file.persist_noclobber(self.root_path()).map_err(|error| error.error)?;
            Ok(())
        };
        keep().map_err(|error| http::failure(FailureKind::Refused, data::problem(&self.root_path(), &error)))
    }

    async fn refresh(&mut self) -> Result<tuf::Checked, TenantFailure> {
        self.take_folder()?;
        let reach = self.reach()?;
        let root = match (self.stored_root()?, &self.pin) {
            (Some(root), _) => Some(root),
            (None, Some(pin)) if !self.source.can_enrol() => Some(self.first_root(&reach, pin).await?.0),
            (None, _) => None,
        };
        let Some(root) = root else {
            let problem = Reason::TenantNotEnrolled.at(self.root_path().display());
            return Err(http::failure(FailureKind::Unauthorized, problem));
        };
        if let Some(pin) = &self.pin {
            self.same_root(pin, &sha256_hex(&root))?;
        }
        let checked = tuf::refresh(tuf::Source {
            reach,
            metadata: self.base.url(tenant::paths::METADATA_BASE)?,
            targets: self.base.url(tenant::paths::TARGETS_BASE)?,
            pinned_root: &root,
            datastore: self.data.join("tuf"),
        })
        .await;
        narrow(&self.data.join("tuf"));
        checked
    }

    async fn fetch_policy(
        &mut self,
        have: Option<u64>,
    ) -> Result<Option<Verified<PolicyDocument>>, TenantFailure> {
        self.refresh().await?.policy(have).await
    }

    /// What the tenant signed about a target just now. The target itself is fetched without the room.
    ///
    /// # Errors
    /// Whatever TUF or the network has against it.
    pub async fn listed(&mut self, target: &str) -> Result<Listed, TenantFailure> {
        let name = tuf::target_name(target, tenant::paths::TARGETS_BASE)?;
        let checked = self.refresh().await?;
        Listed::new(Packages::new(packages_folder(&self.data)), checked, name)
    }

    async fn deliver(
        &mut self,
        system_id: &str,
        owed: &[hub::machine::Owed],
        token: Secret,
    ) -> Result<Vec<String>, TenantFailure> {
        let client = self.client()?;
        reports::Reporter {
            client: &client,
            signer: &self.signer,
            base: &self.base,
            system_id,
            token: &token,
        }
        .deliver(owed)
        .await
    }

    async fn assigned(
        &mut self,
        system_id: &str,
        user: &str,
        token: &Secret,
    ) -> Result<Vec<String>, TenantFailure> {
        let url = self.base.join(&tenant::paths::user_groups(system_id, user));
        let request = self.client()?.get(&url).bearer_auth(token.expose());
        let (route, private) = (tenant::paths::USER_GROUPS, Secret::new(user));
        let answer = self
            .signer
            .call(request, &[token, &private])
            .await
            .map_err(|failure| http::at_route(failure, &self.base, route))?;
        let mut groups = http::json::<ManualGroups>(&answer, &self.base.named(route))?.groups;
        groups.truncate(MAX_ASSIGNED);
        Ok(groups)
    }
}

/// The TUF library writes with the mode of the session. The folder keeps others out already; a copy of it would not.
fn narrow(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let made = std::fs::File::open(entry.path()).and_then(|file| super::os::make_private(&file));
        if let Err(error) = made {
            tracing::warn!(file = %entry.path().display(), %error, "others may read a file of the agent");
        }
    }
}

/// A server without the route of an enrolment is an old one.
fn explained(failure: TenantFailure) -> TenantFailure {
    if failure.kind != FailureKind::Absent {
        return failure;
    }
    let old = Reason::TenantServerOld { contract: tenant::paths::CONTRACT.to_string() };
    TenantFailure { problem: old.at(failure.problem.place()), ..failure }
}

fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes))
}
