//! The repository through the server: a TUF client of its own kind, caching, ranges.

use std::sync::Arc;

use reqwest::Response;
use reqwest::header::HeaderMap;
use serde_json::json;
use tenant::paths;
use tenant::policy::PolicyDocument;
use tough::{
    IntoVec as _, RepositoryLoader, TargetName, Transport, TransportError, TransportErrorKind,
    TransportStream, async_trait,
};
use url::Url;

use crate::rig::{Host, Server, Tenant, problem, text};

/// As an agent fetches: token and proof on every request.
#[derive(Debug, Clone)]
struct Https {
    server: Arc<Server>,
    host: Arc<Host>,
}

#[async_trait]
impl Transport for Https {
    async fn fetch(&self, url: Url) -> Result<TransportStream, TransportError> {
        let fail = |error| TransportError::new_with_cause(TransportErrorKind::Other, url.clone(), error);
        let answer = self.server.sign(&self.host, self.server.client.get(url.clone())).await;
        if answer.status() == 404 {
            return Err(TransportError::new(TransportErrorKind::FileNotFound, url));
        }
        let body = answer.error_for_status().map_err(fail)?.bytes().await.map_err(fail)?;
        Ok(Box::pin(futures_util::stream::iter([Ok(body)])))
    }
}

#[tokio::test]
async fn a_tuf_client_reads_policy_and_firmware_from_the_server() {
    let tenant = Tenant::new();
    let firmware = tenant.file("sc60-2.1.zip", vec![7; 300_000]);
    let policy = tenant.file("policy.json", json!({ "schema": 1, "company": "Contoso GmbH" }).to_string());
    tenant.done("publish", &["--policy", text(&policy), "--target", text(&firmware)]);
    let server = Arc::new(tenant.serve(&[]));
    let host = Arc::new(server.enrol_as(&tenant, "HOST-1").await);
    let root = server.get(paths::ROOT).send().await.expect("an answer").bytes().await.expect("a body");
    let url = |base: &str| Url::parse(&format!("{}{base}", server.url)).expect("a URL");
    let repository = RepositoryLoader::new(&root, url(paths::METADATA_BASE), url(paths::TARGETS_BASE))
        .transport(Https { server: server.clone(), host })
        .load()
        .await
        .expect("loads");
    let read = async |name: &str| {
        let name = TargetName::new(name).expect("a target name");
        repository
            .read_target(&name)
            .await
            .expect("readable")
            .expect("listed")
            .into_vec()
            .await
            .expect("whole")
    };
    let document = PolicyDocument::from_json(&read(paths::POLICY_TARGET).await).expect("a policy");
    assert_eq!(document.company, "Contoso GmbH");
    assert_eq!(read("sc60-2.1.zip").await, vec![7; 300_000]);
}

#[tokio::test]
async fn files_are_cached_by_tag_and_fetched_in_parts() {
    let tenant = Tenant::new();
    let content: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    let firmware = tenant.file("fw.zip", &content);
    let shown = tenant.done("publish", &["--target", text(&firmware)]);
    let digest =
        shown.lines().find(|line| line.contains("fw.zip")).and_then(|line| line.split(' ').next_back());
    let path = format!("/targets/{}.fw.zip", digest.expect("the digest is shown"));
    let server = tenant.serve(&[]);
    let host = server.enrol_as(&tenant, "HOST-1").await;
    let fetch = async |path: &str, headers: &[(&'static str, &str)]| -> Response {
        let request = server.get(path);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        server.sign(&host, request).await
    };
    let tag = |headers: &HeaderMap| headers["etag"].to_str().expect("ASCII").to_owned();

    for path in ["/metadata/timestamp.json", path.as_str()] {
        let whole = fetch(path, &[]).await;
        assert_eq!(whole.status(), 200);
        let tag = tag(whole.headers());
        assert_eq!(fetch(path, &[("if-none-match", &tag)]).await.status(), 304, "{path}");
        assert_eq!(fetch(path, &[("if-none-match", "\"old\"")]).await.status(), 200, "{path}");
    }
    tenant.done("publish", &[]);
    let whole = fetch(&path, &[]).await;
    assert_eq!(whole.headers()["accept-ranges"], "bytes");
    let same = tag(whole.headers());
    assert!(whole.bytes().await.expect("a body") == content);

    let rest = fetch(&path, &[("range", "bytes=123457-"), ("if-range", &same)]).await;
    assert_eq!(rest.status(), 206);
    assert_eq!(rest.headers()["content-range"], "bytes 123457-799999/800000");
    assert!(rest.bytes().await.expect("a body") == content[123_457..]);
    let changed = fetch(&path, &[("range", "bytes=123457-"), ("if-range", "\"old\"")]).await;
    assert_eq!((changed.status().as_u16(), changed.content_length()), (200, Some(800_000)));
    let beyond = fetch(&path, &[("range", "bytes=800000-")]).await;
    assert_eq!(beyond.headers()["content-range"], "bytes */800000");
    problem(beyond, 416).await;
}

#[tokio::test]
async fn nothing_but_the_repository_can_be_fetched() {
    let tenant = Tenant::new();
    let server = tenant.serve(&[]);
    let host = server.enrol_as(&tenant, "HOST-1").await;
    let listed = std::fs::read_dir(tenant.dir.join("repository/targets")).expect("readable").next();
    let name = listed.expect("tenant.json").expect("an entry").file_name().into_string().expect("UTF-8");
    let open = server.get(&format!("/targets/{name}")).send().await.expect("an answer");
    problem(open, 401).await;
    let zeros = "0".repeat(64);
    for path in [
        "/metadata/..%2F..%2Ftenant.db",
        "/metadata/..%2F..%2Fendpoint.json",
        "/metadata/99.root.json",
        "/metadata/%00.json",
        "/targets/tenant.json",
        "/targets/..%2F..%2Fkeys%2Froot.pk8",
        &format!("/targets/{zeros}.absent"),
        &format!("/targets/{zeros}.%2E%2E%2F{name}"),
        "/metadata/",
        "/targets/",
    ] {
        problem(server.sign(&host, server.get(path)).await, 404).await;
    }
}
