//! `openapi.json` and the list of events, made of the routes and of the types of the wire.

use super::caller::Power;
use super::described::{Content, Operation, Refused, of_the_door};
use super::{refusal, v1, wire};
use crate::contract::{Schemas, hold, hold_table};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const ABOUT: &str = "Call control, events and firmware of USB headsets, on this computer's loopback only. Web pages are \
    known by their Origin, which the person or the company must have approved: they may read devices and events and make \
    calls, not change firmware. What a page reads leaves out serial numbers, paths, company and groups, and a headset's \
    id is the page's own and holds while the agent runs. `/v1/health` and every refusal can be read by pages of any \
    origin. Programs are known by their executable, which the system tells: they show the token of `endpoint.json` as \
    `Authorization: Bearer`, or were approved as pages are. What they call themselves by `X-Hookswitch-Client` (at most \
    64 characters) is shown beside it, and nothing is decided by it. Requests that change something are POST; a body is \
    `Content-Type: application/json`. Members may be added to answers and events within version 1; clients ignore those \
    they do not know. Errors are `application/problem+json`.";

fn document() -> Value {
    let mut schemas = Schemas::new();
    let mut paths = json!({});
    for route in v1::routes() {
        let operation = described(route.operation, route.power, &mut schemas);
        paths[route.path][route.method.as_str().to_lowercase()] = operation;
    }
    let refused = json!({ "application/problem+json": { "schema": schemas.said::<refusal::Document>() } });
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Hookswitch SDK",
            "version": "1.0.0",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
            "description": ABOUT,
        },
        "servers": [{ "url": "https://127.0.0.1:32018" }],
        "security": [{ "program": [] }, { "page": [] }],
        "paths": paths,
        "components": {
            "responses": { "Problem": {
                "description": "Not done; the document says why and what next.",
                "content": refused,
            } },
            "securitySchemes": {
                "program": { "type": "http", "scheme": "bearer", "description": "`token` of endpoint.json." },
                "page": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Origin",
                    "description": "Set by the browser; must be approved.",
                },
            },
            "schemas": schemas.all(),
        },
    })
}

fn described(operation: Operation, power: Power, schemas: &mut Schemas) -> Value {
    let Operation { id, summary, description, parameters, body, answer, refusals } = operation;
    let mut done = json!({ "description": answer.description });
    match answer.content {
        Content::Json(schema) => done["content"]["application/json"]["schema"] = schema(schemas),
        Content::Events => {
            let events = events(schemas);
            let names: Vec<String> = events.keys().map(|name| format!("`{name}`")).collect();
            let names = names.join(", ");
            let text = format!("Events {names}, with the data that x-events says. {}", answer.description);
            done["description"] = text.into();
            done["content"]["text/event-stream"] =
                json!({ "schema": { "type": "string" }, "x-events": events });
        }
    }
    if let Some(headers) = answer.headers {
        done["headers"] = headers;
    }
    let mut responses = refused(of_the_door(power).into_iter().chain(refusals));
    responses.insert(answer.status.as_str().to_owned(), done);
    let mut out = json!({ "operationId": id, "summary": summary, "responses": responses });
    if let Some(description) = description {
        out["description"] = description.into();
    }
    if power == Power::Open {
        out["security"] = json!([]);
    }
    if !parameters.is_empty() {
        out["parameters"] = parameters.into();
    }
    if let Some(body) = body {
        let content = json!({ "application/json": { "schema": (body.schema)(schemas) } });
        out["requestBody"] = json!({ "required": body.is_needed, "content": content });
    }
    out
}

/// By status, with the codes that come with each.
fn refused(all: impl Iterator<Item = Refused>) -> Map<String, Value> {
    let mut codes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for Refused { status, code } in all {
        codes.entry(status.as_str().to_owned()).or_default().push(format!("`{code}`"));
    }
    let response = |(status, codes): (String, Vec<String>)| {
        let description = format!("{}.", codes.join(", "));
        (status, json!({ "$ref": "#/components/responses/Problem", "description": description }))
    };
    codes.into_iter().map(response).collect()
}

/// The events of the stream by name. OpenAPI 3.1 has no words of its own for them.
fn events(schemas: &mut Schemas) -> Map<String, Value> {
    let event = |(name, when, data): (&str, &str, Value)| {
        (name.to_owned(), json!({ "description": when, "data": data }))
    };
    wire::events(schemas).into_iter().map(event).collect()
}

#[test]
fn openapi_is_made_of_the_types() {
    hold(env!("CARGO_MANIFEST_DIR"), "src/shell/rest/openapi.json", &document());
}

#[test]
fn the_list_of_events_is_made_of_the_types() {
    let events = wire::events(&mut Schemas::new());
    let rows = events.into_iter().map(|(name, when, data)| {
        let data =
            data["$ref"].as_str().and_then(|place| place.rsplit('/').next()).expect("a schema with a name");
        format!("| `{name}` | {when} | `{data}` |\n")
    });
    let table = format!("| event | when | its data |\n|---|---|---|\n{}", rows.collect::<String>());
    hold_table(env!("CARGO_MANIFEST_DIR"), "docs/softphones.md", "events", &table);
}
