//! The bounds that the contract says of a request are those that the server keeps.

use super::*;
use crate::contract::Schemas;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// More than the longest text that may be.
const LONGEST: usize = 1_001;

fn accepts<T: JsonSchema>() -> impl Fn(&Value) -> bool {
    let mut schemas = Schemas::new();
    let place = schemas.asked::<T>();
    let document = json!({ "components": { "schemas": schemas.all() } });
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    compiler.add_resource("http://contract.invalid/openapi.json", document).expect("a resource");
    let place = place["$ref"].as_str().expect("a schema with a name").to_owned();
    let index = compiler.compile(&format!("http://contract.invalid/openapi.json{place}"), &mut schemas);
    let index = index.expect("a schema");
    move |body| schemas.validate(body, index).is_ok()
}

/// `sample` with each of its texts at every length and its lists at few: what the schema lets in, the server does.
fn agree<T: JsonSchema + DeserializeOwned>(sample: &Value, validate: fn(&T) -> Result<(), WireError>) {
    let accepts = accepts::<T>();
    let reads =
        |body: &Value| serde_json::from_value::<T>(body.clone()).is_ok_and(|it| validate(&it).is_ok());
    assert!(accepts(sample) && reads(sample), "{sample:#}");
    for (name, value) in sample.as_object().expect("an object") {
        let of_length = |length: usize| match value {
            Value::String(_) => Some("a".repeat(length).into()),
            Value::Array(items) => Some(vec![items[0].clone(); length].into()),
            _ => None,
        };
        // What a time looks like, a schema does not say.
        let few = value.is_array();
        for length in (0..=LONGEST).filter(|n| name != "time" && (!few || *n < 2 || *n >= LONGEST - 1)) {
            let Some(value) = of_length(length) else { break };
            let mut body = sample.clone();
            body[name] = value;
            assert_eq!(accepts(&body), reads(&body), "{name} of {length}");
        }
        let mut without = sample.clone();
        without.as_object_mut().expect("an object").remove(name);
        assert_eq!(accepts(&without), reads(&without), "no {name}");
    }
    let mut more = sample.clone();
    more["more"] = 1.into();
    assert_eq!(accepts(&more), reads(&more), "a member more");
}

#[test]
fn the_contract_says_the_bounds_that_are_kept() {
    let group = json!({ "id": "sales", "why": "everybody" });
    let enrol = json!({
        "tenant_id": "acme", "tenant_token": "t", "system_id": "h", "host_key": "k".repeat(43),
    });
    agree(&enrol, EnrolRequest::validate);
    let host = json!({
        "system_id": "h", "hostname": "h", "os": "linux", "os_version": "13", "agent_version": "1",
        "groups": [group], "copied_from": "g",
    });
    agree(&host, HostRegistration::validate);
    let user = json!({ "user": "kim", "display": "Kim", "groups": [group] });
    agree(&user, UserRegistration::validate);
    let device = json!({
        "device_id": "d", "vendor_id": 1, "product_id": 1, "vendor": "v", "product": "p", "serial": "s",
        "firmware_version": "1.20", "attached": true, "port": "1-1",
    });
    agree(&device, DeviceRegistration::validate);
    let status = json!({
        "event_id": "e", "device_id": "d", "policy_id": "p", "from_version": "1", "target_version": "2",
        "verdict": "failed", "version_read_back": "1", "detail": "d",
    });
    agree(&status, UpdateStatus::validate);
    let event = json!({
        "specversion": "1.0", "id": "e", "source": "s", "type": "t", "time": "2026-11-24T09:30:00Z", "subject": "s",
        "datacontenttype": "d", "data": 1,
    });
    agree(&event, |event: &CloudEvent| EventBatch(vec![event.clone()]).validate());
    let accepts = accepts::<EventBatch>();
    for (count, may) in [(0, false), (1, true), (MAX_EVENTS, true), (MAX_EVENTS + 1, false)] {
        let batch = Value::from(vec![event.clone(); count]);
        let reads = serde_json::from_value::<EventBatch>(batch.clone()).is_ok_and(|it| it.validate().is_ok());
        assert_eq!((accepts(&batch), reads), (may, may), "{count} events");
    }
}
