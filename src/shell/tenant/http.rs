//! The one HTTP client, and what its failures mean to a person.

use super::CaFile;
use hub::machine::{FailureKind, TenantFailure};
use hub::problem::Reason;
use hub::protocol::{Detail, Problem};
use hub::tenancy::TenantSource;
use reqwest::{Certificate, Client, RequestBuilder, Response, StatusCode, header, redirect};
use std::error::Error;
use std::time::{Duration, SystemTime};
use tenant::refusal::Code;
use tenant::secret::Secret;
use url::Url;

/// For name resolution, TCP and TLS together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// For each piece of an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(15);
/// For a whole request and its answer, metadata and packages excepted.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
/// The connection is kept for the rest of a poll, then closed: an idle agent has no timer.
const IDLE_CONNECTION: Duration = Duration::from_secs(15);
const MAX_REDIRECTS: usize = 3;
/// Longest wait a server may ask for.
const MAX_RETRY_AFTER_S: u64 = 24 * 60 * 60;
/// Largest answer that is not a file.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// Where the tenant's files and routes are: `SERVER_URL`, checked.
#[derive(Clone, Debug)]
pub(super) struct Base(String);

impl Base {
    /// `https`, or `file` for a folder, and nothing in it that does not belong into a log.
    pub(super) fn parse(source: &TenantSource) -> Result<Self, Problem> {
        let refuse = |why: Detail| Reason::TenantUrl { detail: why }.at("SERVER_URL");
        let url = Url::parse(source.url().trim()).map_err(|error| refuse(Detail::verbatim(error)))?;
        let of_disk = url.scheme() == "file" && !source.can_enrol();
        if url.scheme() != "https" && !of_disk {
            return Err(refuse(Detail::new("url-not-https", "it is not https")));
        }
        if !url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.fragment().is_some()
        {
            let why = "it holds a user name, a password, a query or a fragment";
            return Err(refuse(Detail::new("url-more-than-an-address", why)));
        }
        if of_disk && url.to_file_path().is_err() {
            let why = "a share is mounted on this system, and named by the folder it is mounted to";
            return Err(refuse(Detail::new("url-share", why)));
        }
        if !of_disk && url.host_str().is_none_or(str::is_empty) {
            return Err(refuse(Detail::new("url-no-host", "it has no host")));
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }

    /// A route for people to read, without the names of hosts and users that were in its place.
    pub(super) fn named(&self, route: &str) -> String {
        let parts = route.split('/').map(|part| if part.starts_with('{') { "…" } else { part });
        self.join(&parts.collect::<Vec<_>>().join("/"))
    }

    /// The address of one of `tenant::paths`.
    pub(super) fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// The path of an address below this one, as it is signed.
    pub(super) fn below<'a>(&self, url: &'a Url) -> &'a str {
        let own = Url::parse(&self.0).map(|own| own.path().trim_end_matches('/').len());
        url.path().get(own.unwrap_or_default()..).unwrap_or_else(|| url.path())
    }

    pub(super) fn url(&self, path: &str) -> Result<Url, TenantFailure> {
        Url::parse(&self.join(path)).map_err(|error| unreadable(&self.0, Detail::verbatim(error)))
    }
}

/// Where the client does not follow.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum RedirectFault {
    #[error("too many redirects")]
    TooMany,
    #[error("a redirect to another server")]
    Elsewhere,
}

impl From<RedirectFault> for Detail {
    fn from(fault: RedirectFault) -> Self {
        match fault {
            RedirectFault::TooMany => Detail::new("redirect-too-many", fault).with("most", MAX_REDIRECTS),
            RedirectFault::Elsewhere => Detail::new("redirect-elsewhere", fault),
        }
    }
}

/// Loads the machine's trust store: only for an agent that has a tenant, and only when it talks to it.
pub(super) fn client(extra_ca: &[Certificate]) -> Result<Client, Problem> {
    let redirects = redirect::Policy::custom(|attempt| {
        if attempt.previous().len() > MAX_REDIRECTS {
            attempt.error(RedirectFault::TooMany)
        } else if attempt.previous().first().is_none_or(|asked| asked.origin() != attempt.url().origin()) {
            // A redirected request is sent whole (RFC 9110 §15.4.8), the tenant's token in it.
            attempt.error(RedirectFault::Elsewhere)
        } else {
            attempt.follow()
        }
    });
    Client::builder()
        .https_only(true)
        .tls_certs_merge(extra_ca.iter().cloned())
        .user_agent(concat!("hookswitch/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .pool_idle_timeout(IDLE_CONNECTION)
        .redirect(redirects)
        .referer(false)
        .build()
        .map_err(|error| {
            let why = innermost(&error);
            Reason::TenantTrust { detail: why }.here()
        })
}

/// Certificates of a PEM file.
pub(super) fn certificates(file: &CaFile) -> Result<Vec<Certificate>, Problem> {
    let refuse = |why: Detail| Reason::TenantCa { detail: why }.at(&file.path);
    let certificates = Certificate::from_pem_bundle(&file.pem).map_err(|error| refuse(innermost(&error)))?;
    if certificates.is_empty() {
        return Err(refuse(Detail::new("no-certificate", "it holds no certificate")));
    }
    Ok(certificates)
}

/// Reads an answer whole.
pub(super) async fn whole(response: Response) -> Result<Vec<u8>, TenantFailure> {
    let place = place(response.url());
    read_whole(response, MAX_ANSWER_BYTES).await?.ok_or_else(|| {
        let why = format!("the answer is longer than {MAX_ANSWER_BYTES} bytes");
        unreadable(&place, Detail::new("answer-too-long", why).with("most", MAX_ANSWER_BYTES))
    })
}

/// Sends one request to what is open to everybody; anything but 2xx is a failure.
pub(super) async fn send(request: RequestBuilder) -> Result<Response, TenantFailure> {
    let response = request.send().await.map_err(|error| transport_failure(&error))?;
    accepted(response, &[], None).await.map_err(Attempt::into_failure)
}

/// How a request did not succeed.
pub(super) enum Attempt {
    /// The proof was too old or used: it may succeed with another one.
    Stale(TenantFailure),
    Failed(TenantFailure),
}

impl Attempt {
    pub(super) fn into_failure(self) -> TenantFailure {
        let (Self::Stale(failure) | Self::Failed(failure)) = self;
        failure
    }
}

/// Anything but 2xx is a failure. `secrets` are cut out of what the server says. `known_as`: the id of this machine,
/// where the request was signed.
pub(super) async fn accepted(
    response: Response,
    secrets: &[&Secret],
    known_as: Option<&str>,
) -> Result<Response, Attempt> {
    // Pages are for people: a tenant has none.
    let page = response.status().is_success() && content_type(&response).starts_with("text/html");
    if page || response.status() == StatusCode::NETWORK_AUTHENTICATION_REQUIRED {
        let why = Detail::new("answer-is-a-page", "a web page came");
        return Err(Attempt::Failed(intercepted(&place(response.url()), why)));
    }
    if response.status().is_success() {
        Ok(response)
    } else {
        Err(refusal(response, secrets, known_as).await)
    }
}

fn content_type(response: &Response) -> &str {
    let value = response.headers().get(header::CONTENT_TYPE);
    value.and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// A guest network that wants a log-on, a proxy, a filter: neither the tenant nor its people can do anything about it.
pub(super) fn intercepted(place: &str, why: Detail) -> TenantFailure {
    let problem = Reason::TenantIntercepted { detail: why }.at(place);
    failure(FailureKind::Unreachable, problem)
}

/// Seconds that the server's clock is ahead of ours, as far as it says.
pub(super) fn ahead_s(response: &Response) -> Option<i64> {
    let date = response.headers().get(header::DATE)?.to_str().ok()?;
    let (theirs, ours) = (httpdate::parse_http_date(date).ok()?, SystemTime::now());
    let seconds = |time: Duration| i64::try_from(time.as_secs()).ok();
    match theirs.duration_since(ours) {
        Ok(ahead) => seconds(ahead),
        Err(behind) => seconds(behind.duration()).map(|behind| -behind),
    }
}

/// What begins or ends in time cannot be judged by a clock that is this far off.
pub(super) fn clock_is_off(ahead_s: i64, place: &str) -> Option<TenantFailure> {
    let hours = ahead_s.unsigned_abs() / 3600;
    let behind = format!("{hours} h behind the tenant server's");
    let ahead = format!("{hours} h ahead of the tenant server's");
    let why = match hours {
        0 => return None,
        _ if ahead_s > 0 => Detail::new("clock-behind", behind).with("hours", hours),
        _ => Detail::new("clock-ahead", ahead).with("hours", hours),
    };
    let problem = Reason::ClockWrong { detail: why }.at(place);
    Some(failure(FailureKind::Unreachable, problem))
}

/// `None` if it is longer than `most` bytes.
pub(super) async fn read_whole(
    mut response: Response,
    most: usize,
) -> Result<Option<Vec<u8>>, TenantFailure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| transport_failure(&error))? {
        if body.len() + chunk.len() > most {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// Whether it begins as a page does and JSON does not.
pub(super) fn is_page(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"<")
}

pub(super) fn json<T: serde::de::DeserializeOwned>(body: &[u8], place: &str) -> Result<T, TenantFailure> {
    if is_page(body) {
        return Err(intercepted(place, Detail::new("answer-is-a-page", "a web page came")));
    }
    serde_json::from_slice(body).map_err(|error| {
        let (line, column, fault) = (error.line(), error.column(), category(&error));
        let why = Detail::new("answer-not-understood", format!("line {line}, column {column}: {fault}"));
        unreadable(place, why.with("line", line).with("column", column).detail("fault", fault))
    })
}

/// `serde_json` repeats values in its texts; an answer may hold a token.
fn category(error: &serde_json::Error) -> Detail {
    match error.classify() {
        serde_json::error::Category::Eof => Detail::new("json-ends", "it ends too early"),
        serde_json::error::Category::Syntax => Detail::new("json-none", "it is not JSON"),
        serde_json::error::Category::Data => {
            Detail::new("json-fields", "a field is missing or of another type")
        }
        serde_json::error::Category::Io => Detail::new("json-unread", "it cannot be read"),
    }
}

fn unreadable(place: &str, why: Detail) -> TenantFailure {
    failure(FailureKind::ServerError, Reason::TenantAnswer { detail: why }.at(place))
}

pub(super) fn failure(kind: FailureKind, problem: Problem) -> TenantFailure {
    TenantFailure { kind, problem, retry_after: None }
}

/// Says which route was asked instead of the address, where that holds a user's name.
pub(super) fn at_route(mut failure: TenantFailure, base: &Base, route: &str) -> TenantFailure {
    failure.problem = failure.problem.moved_to(base.named(route));
    failure
}

/// Scheme, host and path: no user information, no query.
pub(super) fn place(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // Neither fails for a URL with a host.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

/// No answer at all, or one that broke off.
pub(super) fn transport_failure(error: &reqwest::Error) -> TenantFailure {
    let place = error.url().map_or_else(|| "SERVER_URL".to_owned(), place);
    let detail = innermost(error);
    let reason = match refused_certificate(error) {
        // Guest networks do so until somebody has logged on.
        _ if error.is_redirect() => Reason::TenantRedirect { detail },
        _ if error.is_timeout() => Reason::TenantTimeout { detail },
        Some(CertificateFault::Time) => Reason::TenantCertificateTime { detail },
        Some(CertificateFault::Other) => Reason::TenantCertificate { detail },
        None => Reason::TenantUnreachable { detail },
    };
    failure(FailureKind::Unreachable, reason.at(place))
}

enum CertificateFault {
    /// Too early or too late for it, by the clock of this machine.
    Time,
    Other,
}

fn refused_certificate(error: &reqwest::Error) -> Option<CertificateFault> {
    use rustls::CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};
    let mut next: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = next {
        // An io::Error leaves out its own content when asked for its source.
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let rustls = error
            .downcast_ref::<rustls::Error>()
            .or_else(|| inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()));
        match rustls {
            Some(rustls::Error::InvalidCertificate(
                Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. },
            )) => return Some(CertificateFault::Time),
            Some(rustls::Error::InvalidCertificate(_)) => return Some(CertificateFault::Other),
            _ => {}
        }
        next = inner.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source());
    }
    None
}

/// The cause at the bottom says most; those above it repeat the address.
fn innermost(error: &reqwest::Error) -> Detail {
    let mut cause: &(dyn Error + 'static) = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    if error.source().is_none() {
        return Detail::new("request-failed", "the request failed");
    }
    match cause.downcast_ref::<RedirectFault>() {
        Some(fault) => Detail::from(*fault),
        None => Detail::verbatim(tidy(&cause.to_string(), &[])),
    }
}

async fn refusal(response: Response, secrets: &[&Secret], known_as: Option<&str>) -> Attempt {
    let status = response.status();
    let place = place(response.url());
    let retry_after = response
        .headers()
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| parse_retry_after(text, SystemTime::now()));
    // RFC 9457, read tolerantly.
    let said = read_whole(response, 64 * 1024)
        .await
        .ok()
        .flatten()
        .and_then(|body| serde_json::from_slice::<tenant::wire::Problem>(&body).ok());
    let code = said.as_ref().and_then(|said| Code::said(status.as_u16(), said.code()?));
    let said = said
        .map(|problem| problem.detail.unwrap_or(problem.title))
        .map(|text| tidy(&text, secrets))
        .filter(|text| !text.is_empty());
    let detail = match said {
        Some(words) => {
            let said = Detail::new("server-said", format!("{status}: {words}"));
            said.with("status", status).with("words", words)
        }
        None => Detail::new("server-status", status).with("status", status),
    };
    let (kind, reason) = match (status, code) {
        (_, Some(Code::HostKey)) if let Some(system_id) = known_as => {
            (FailureKind::Rejected, Reason::TenantHostKey { system_id: system_id.to_owned() })
        }
        (_, Some(Code::Proof | Code::ProofStale)) => {
            (FailureKind::Unauthorized, Reason::TenantProof { detail })
        }
        (_, Some(Code::Contract)) => (FailureKind::Rejected, Reason::TenantAgentOld { detail }),
        (StatusCode::UNAUTHORIZED, _) => (FailureKind::Unauthorized, Reason::TenantUnauthorized { detail }),
        _ if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() => {
            (FailureKind::ServerError, Reason::TenantServerError { detail })
        }
        (StatusCode::NOT_FOUND | StatusCode::GONE, _) => {
            (FailureKind::Absent, Reason::TenantRejected { detail })
        }
        (StatusCode::RANGE_NOT_SATISFIABLE, _) => {
            (FailureKind::RangeNotSatisfiable, Reason::TenantRejected { detail })
        }
        _ => (FailureKind::Rejected, Reason::TenantRejected { detail }),
    };
    let problem = reason.at(place);
    let failure = TenantFailure { kind, problem, retry_after };
    if code == Some(Code::ProofStale) { Attempt::Stale(failure) } else { Attempt::Failed(failure) }
}

/// Foreign text for a person: one line, short, without our secrets.
fn tidy(text: &str, secrets: &[&Secret]) -> String {
    let mut text: String = dfu::text::plain(text).take(300).collect();
    for secret in secrets.iter().map(|secret| secret.expose()).filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, "…");
    }
    text
}

/// Seconds or an HTTP date (RFC 9110 §10.2.3, §5.6.7), at most a day.
fn parse_retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    let seconds = match text.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default().as_secs(),
    };
    Some(Duration::from_secs(seconds.min(MAX_RETRY_AFTER_S)))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use std::time::UNIX_EPOCH;

    #[test]
    fn only_https_addresses_and_folders() {
        let of = |address: &str| Base::parse(&TenantSource::named(address));
        assert_eq!(of("https://t.example/hub/").unwrap().join("/v2/enrol"), "https://t.example/hub/v2/enrol");
        for (base, url) in [
            ("https://t.example/hub/", "https://t.example/hub/v2/x"),
            ("https://t.example", "https://t.example/v2/x"),
        ] {
            assert_eq!(of(base).unwrap().below(&Url::parse(url).unwrap()), "/v2/x");
        }
        for bad in [
            "http://t.example",
            "t.example",
            "",
            "https://u:p@t.example",
            "https://t.example?x",
            "folder+http://x",
        ] {
            let problem = of(bad).unwrap_err();
            assert_eq!(problem.code, hub::problem::Code::TenantUrl, "{bad}");
            assert!(!problem.to_string().contains("u:p"));
        }
        for (folder, file) in [
            ("file:///srv/acme/", "file:///srv/acme/metadata/x"),
            ("folder+https://t.example/hub/", "https://t.example/hub/metadata/x"),
        ] {
            assert_eq!(of(folder).unwrap().url("/metadata/x").unwrap().as_str(), file);
        }
        // An address that says folder is none of a server, whatever its scheme.
        assert_eq!(
            Base::parse(&TenantSource::Server("file:///x/".to_owned())).unwrap_err().code,
            hub::problem::Code::TenantUrl
        );
    }

    #[test]
    fn retry_after_in_both_forms() {
        let now = UNIX_EPOCH + Duration::from_secs(784_111_777);
        let wait = |text| parse_retry_after(text, now).map(|wait| wait.as_secs());
        assert_eq!(wait("120"), Some(120));
        assert_eq!(wait("99999999999"), Some(MAX_RETRY_AFTER_S));
        assert_eq!(wait("Sun, 06 Nov 1994 08:50:37 GMT"), Some(60));
        assert_eq!(wait("Sun, 06 Nov 1994 08:00:00 GMT"), Some(0), "in the past");
        for bad in [
            "",
            "-1",
            "soon",
            "Sun, 06 anF 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49 GMT",
            "x, 0 Jan 0 0:0:0 GMT",
        ] {
            assert_eq!(wait(bad), None, "{bad}");
        }
    }

    /// IT needs the id, whatever was asked; where nothing was signed, nobody can know the host by a key.
    #[tokio::test]
    async fn a_host_that_is_known_by_another_key_is_named() {
        let body = r#"{"type":"urn:hookswitch:tenant:host-key","title":"Another key","status":409}"#;
        for (known_as, code) in [(Some("S-1"), "tenant-host-key"), (None, "tenant-rejected")] {
            let answer = axum::http::Response::builder().status(409).body(body).expect("an answer");
            let refused = accepted(answer.into(), &[], known_as).await.map_err(Attempt::into_failure);
            let failure = refused.expect_err("refused");
            assert_eq!((failure.problem.code.as_str(), failure.kind), (code, FailureKind::Rejected));
            assert_eq!(failure.problem.next().contains("hosts reset S-1"), known_as.is_some(), "{failure:?}");
        }
    }

    #[test]
    fn advice_for_the_wrong_person_a_clock_that_is_off_is_named() {
        let (ahead, behind) = (3 * 86_400, -7200);
        let told = |ahead_s| clock_is_off(ahead_s, "https://t").map(|f| (f.kind, f.problem.what()));
        let clock = "The clock of this computer seems to be wrong:";
        let unreachable = FailureKind::Unreachable;
        assert_eq!(told(ahead), Some((unreachable, format!("{clock} 72 h behind the tenant server’s"))));
        assert_eq!(told(behind), Some((unreachable, format!("{clock} 2 h ahead of the tenant server’s"))));
        assert_eq!((told(0), told(3599), told(-3599)), (None, None, None));
    }

    #[test]
    fn foreign_words_are_cut() {
        let secret = Secret::new("s3cr3t");
        assert_eq!(tidy("token s3cr3t\n bad", &[&secret]), "token … bad");
        assert_eq!(tidy(&"x".repeat(5_000), &[]).len(), 300);
        assert_eq!(place(&Url::parse("https://u:p@h/x?token=1#f").unwrap()), "https://h/x");
    }
}
