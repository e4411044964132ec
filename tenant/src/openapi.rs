//! `openapi.json`, made of the routes, the types of the wire and the codes of refusals.

use crate::contract::{Schemas, hold};
use crate::paths::{EVENTS_MEDIA_TYPE, Method, PROBLEM_MEDIA_TYPE, Route};
use crate::refusal::Code;
use crate::{shape, wire};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const ABOUT: &str = "What an agent says to its tenant. Requests are refused (400) when they carry unknown fields; answers \
    may grow fields and readers must let them pass. Bodies are at most 1 MiB, before and after decompression (413). Errors \
    are application/problem+json (RFC 9457), their type is urn:hookswitch:tenant: and a code. 429 and 503 carry \
    Retry-After in seconds. One host has 300 requests at once and 5 a second, 10,000 events at once and one a second (429, \
    code too-many); 500 users and 500 devices (403, code quota). Every answer has a Hookswitch-Nonce for the proof of a \
    later request. The number in the routes is the version of the contract; routes below /v1/ are answered 410 with the \
    code contract: the agent is older than the server.";

const SIGNATURE: &str = "HTTP message signature (RFC 9421), label host, alg ed25519, by the host's key. Headers \
    Content-Digest (RFC 9530, sha-256, of the body as sent, also of none), Signature-Input and Signature. Covered \
    components, in this order: \"@method\" \"@path\" \"content-digest\", and \"authorization\" on all requests but the \
    enrolment; parameters, in this order: nonce, keyid, alg. @path is the path below SERVER_URL. nonce is a \
    Hookswitch-Nonce of the last 300 seconds, a dot, and at least 22 random characters of base64url; each is taken once. \
    keyid is the public key, 32 bytes in base64url. 401 with the code proof-stale asks to sign again with the nonce of \
    that answer.";

/// Of whoever shows token and proof, before anything is looked at.
const OF_A_HOST: [Code; 6] =
    [Code::Token, Code::Proof, Code::ProofStale, Code::TooMany, Code::Body, Code::TooLarge];
/// Of whoever says something of a host.
const OF_A_BODY: [Code; 4] = [Code::Path, Code::OtherHost, Code::MediaType, Code::Field];

/// What the table of routes does not say of one.
struct Operation {
    summary: &'static str,
    description: Option<&'static str>,
    /// `None` = token and proof.
    security: Option<Value>,
    parameters: Vec<Value>,
    body: Option<(&'static str, Value)>,
    answers: Vec<(&'static str, Value)>,
    refusals: Vec<Code>,
}

fn asks(summary: &'static str, answers: Vec<(&'static str, Value)>, refusals: &[&[Code]]) -> Operation {
    let refusals = refusals.concat();
    let (description, security, parameters, body) = (None, None, Vec::new(), None);
    Operation { summary, description, security, parameters, body, answers, refusals }
}

/// Says how something is.
fn says(summary: &'static str, body: Value, refusals: &[Code]) -> Operation {
    let stored = vec![("204", json!({ "description": "Stored." }))];
    let body = Some(("application/json", body));
    Operation { body, ..asks(summary, stored, &[&OF_A_HOST, &OF_A_BODY, refusals]) }
}

fn done(description: &str, schema: Value) -> Value {
    json!({ "description": description, "content": { "application/json": { "schema": schema } } })
}

fn file(description: &str, headers: Value) -> Value {
    json!({ "description": description, "headers": headers, "content": { "application/octet-stream": {} } })
}

fn component(name: &str) -> Value {
    json!({ "$ref": format!("#/components/parameters/{name}") })
}

fn tag() -> Value {
    json!({ "schema": { "type": "string" } })
}

fn kept() -> (&'static str, Value) {
    ("304", json!({ "description": "As you have it." }))
}

fn operation(route: Route, schemas: &mut Schemas) -> Operation {
    match route {
        Route::Enrol => Operation {
            description: Some(
                "Idempotent; also how an expired token is renewed. The first enrolment of a system_id pins host_key; \
                 another key is refused (409, code host-key) until the operator forgets the first one.",
            ),
            security: Some(json!([{ "hostKey": [] }])),
            body: Some(("application/json", schemas.asked::<wire::EnrolRequest>())),
            ..enrol(schemas)
        },
        Route::Health => Operation {
            security: Some(json!([])),
            ..asks(
                "Whether the server answers",
                vec![("200", done("It does.", schemas.said::<wire::Health>()))],
                &[],
            )
        },
        Route::PutHost => says("Register the host", schemas.asked::<wire::HostRegistration>(), &[]),
        Route::PutUser => says(
            "Register a user of the host, with groups and why",
            schemas.asked::<wire::UserRegistration>(),
            &[Code::Quota],
        ),
        Route::GetGroups => {
            let mut groups = done("The groups, perhaps none.", schemas.said::<wire::ManualGroups>());
            groups["headers"] = json!({ "ETag": tag() });
            Operation {
                description: Some(
                    "Of users that are registered at this host; of others nothing is said (404, code user).",
                ),
                parameters: vec![component("IfNoneMatch")],
                ..asks(
                    "Groups the tenant put this user in by hand",
                    vec![("200", groups), kept()],
                    &[&OF_A_HOST, &[Code::Path, Code::OtherHost, Code::User]],
                )
            }
        }
        Route::PutDevice => says(
            "Register a device, or say that it was unplugged",
            schemas.asked::<wire::DeviceRegistration>(),
            &[Code::Quota],
        ),
        Route::PutUpdate => Operation {
            answers: vec![("204", json!({ "description": "Stored, or known." }))],
            description: Some(
                "Idempotent by event_id, which names the update. in-progress after the end is ignored; a second, \
                 different end is refused.",
            ),
            ..says(
                "Say how a firmware update stands",
                schemas.asked::<wire::UpdateStatus>(),
                &[Code::Verdict],
            )
        },
        Route::PostEvents => Operation {
            description: Some(
                "All or nothing, and on disk before it is answered. An event is known by host, source and id. \
                 Content-Encoding gzip is understood.",
            ),
            body: Some((EVENTS_MEDIA_TYPE, schemas.asked::<wire::EventBatch>())),
            ..asks(
                "Store a batch of events of the token's host",
                vec![("200", done("Counts.", schemas.said::<wire::EventsAnswer>()))],
                &[&OF_A_HOST, &[Code::MediaType, Code::Field]],
            )
        },
        Route::Metadata => Operation {
            description: Some(
                "Open to all. A host that signs its request for timestamp.json as elsewhere counts as seen; a signature \
                 with an old nonce is answered by 401 proof-stale, any other that is wrong is not looked at.",
            ),
            security: Some(json!([{}, { "accessToken": [], "hostKey": [] }])),
            parameters: vec![component("IfNoneMatch")],
            ..asks(
                "TUF metadata (consistent snapshots)",
                vec![("200", file("The file.", json!({ "ETag": tag() }))), kept()],
                &[&[Code::ProofStale, Code::Path, Code::NotFound]],
            )
        },
        Route::Target => target(),
        Route::OpenApi => Operation {
            security: Some(json!([])),
            ..asks("This description", vec![("200", done("OpenAPI 3.1.", json!({ "type": "object" })))], &[])
        },
    }
}

fn enrol(schemas: &mut Schemas) -> Operation {
    let mut token =
        done("A token, good for the host it was asked for.", schemas.said::<wire::EnrolResponse>());
    token["headers"] = json!({ "Cache-Control": { "schema": { "const": "no-store" } } });
    use Code::*;
    let refusals = [Enrolment, Proof, ProofStale, HostKey, Quota, TooMany, Body, TooLarge, MediaType, Field];
    asks("Get an access token for one host", vec![("200", token)], &[&refusals])
}

fn target() -> Operation {
    let range = json!({
        "name": "Range",
        "in": "header",
        "description": "One range of bytes (RFC 9110 §14); with If-Range, only if the ETag still holds.",
        "schema": { "type": "string" },
    });
    let headers = json!({ "ETag": tag(), "Accept-Ranges": { "schema": { "const": "bytes" } } });
    let part = ("206", json!({ "description": "The range asked for." }));
    Operation {
        parameters: vec![component("IfNoneMatch"), range],
        ..asks(
            "TUF target, SHA256.NAME",
            vec![("200", file("The file.", headers)), part, kept()],
            &[&OF_A_HOST, &[Code::Path, Code::NotFound, Code::Range]],
        )
    }
}

/// The parameters of a path, as its template names them.
fn in_path(template: &str) -> Vec<Value> {
    let names = template.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let named = |name| match name {
        "system_id" => component("SystemId"),
        "user" => component("User"),
        "file" => component("File"),
        "device_id" => component("DeviceId"),
        "event_id" => component("EventId"),
        other => panic!("{other} is a parameter that the contract does not know"),
    };
    names.map(named).collect()
}

fn described(route: Route, schemas: &mut Schemas) -> Value {
    let Operation { summary, description, security, mut parameters, body, answers, refusals } =
        operation(route, schemas);
    let mut responses = refused(&refusals);
    responses.extend(answers.into_iter().map(|(status, answer)| (status.to_owned(), answer)));
    let mut out = json!({ "summary": summary, "responses": responses });
    if let Some(description) = description {
        out["description"] = description.into();
    }
    if let Some(security) = security {
        out["security"] = security;
    }
    if let Some((kind, schema)) = body {
        out["requestBody"] = json!({ "required": true, "content": { kind: { "schema": schema } } });
    }
    parameters.splice(0..0, in_path(route.path()));
    if !parameters.is_empty() {
        out["parameters"] = parameters.into();
    }
    out
}

/// By status, with the codes that come with each.
fn refused(all: &[Code]) -> Map<String, Value> {
    let mut codes: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    for code in all.iter().chain(&[Code::Busy, Code::Internal]) {
        codes.entry(code.status()).or_default().push(format!("`{}`", code.word()));
    }
    let response = |(status, codes): (u16, Vec<String>)| {
        let kind = match status {
            401 => "Unauthorized",
            429 | 503 => "Later",
            _ => "Problem",
        };
        let place = format!("#/components/responses/{kind}");
        (status.to_string(), json!({ "$ref": place, "description": format!("{}.", codes.join(", ")) }))
    };
    codes.into_iter().map(response).collect()
}

fn responses(schemas: &mut Schemas) -> Value {
    let content = json!({ PROBLEM_MEDIA_TYPE: { "schema": schemas.said::<wire::Problem>() } });
    json!({
        "Problem": { "description": "Refused.", "content": content },
        "Unauthorized": {
            "description": "Code token - none, or not a good one, enrol again; proof - not signed by the host's key; \
                            proof-stale - sign again with the nonce of this answer; enrolment - not this tenant's id or \
                            token.",
            "headers": { "WWW-Authenticate": tag() },
            "content": content,
        },
        "Later": {
            "description": "Not now.",
            "headers": { "Retry-After": { "description": "Seconds.", "schema": { "type": "integer" } } },
            "content": content,
        },
    })
}

fn parameters(schemas: &mut Schemas) -> Value {
    let in_path = |name, schema| json!({ "name": name, "in": "path", "required": true, "schema": schema });
    json!({
        "SystemId": in_path("system_id", schemas.asked::<shape::Id>()),
        "DeviceId": in_path("device_id", schemas.asked::<shape::Id>()),
        "EventId": in_path("event_id", schemas.asked::<shape::Id>()),
        "User": in_path("user", schemas.asked::<shape::UserName>()),
        "File": in_path("file", json!({ "type": "string", "maxLength": 255 })),
        "IfNoneMatch": { "name": "If-None-Match", "in": "header", "schema": { "type": "string" } },
    })
}

fn document() -> Value {
    let mut schemas = Schemas::new();
    let mut paths = json!({});
    for route in Route::ALL {
        let method = match route.method() {
            Method::Get => "get",
            Method::Post => "post",
            Method::Put => "put",
        };
        paths[route.path()][method] = described(*route, &mut schemas);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Hookswitch tenant",
            "version": "2.0.0",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
            "description": ABOUT,
        },
        "security": [{ "accessToken": [], "hostKey": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "accessToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "From /v2/enrol; good for an hour and for the host it was asked for, with that host's \
                                    proof.",
                },
                "hostKey": { "type": "apiKey", "in": "header", "name": "Signature", "description": SIGNATURE },
            },
            "parameters": parameters(&mut schemas),
            "responses": responses(&mut schemas),
            "schemas": schemas.all(),
        },
    })
}

#[test]
fn openapi_is_made_of_the_types() {
    hold(env!("CARGO_MANIFEST_DIR"), "openapi.json", &document());
}
