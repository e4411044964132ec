//! `/Spokes`: the doorway that softphones written for the Plantronics Hub know. One answer is one envelope, with
//! HTTP status 200 for errors too, because the script elements that ask cannot read any other.

use super::caller::{self, Caller};
use super::door::Door;
use super::reader::Reader;
use super::refusal::Refusal;
use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use hub::protocol::Device;
use hub::protocol::client::ClientId;
use serde::Serialize;
use std::sync::Arc;

/// Longest name of a JSONP callback, in bytes.
const MAX_CALLBACK_BYTES: usize = 64;
/// Exact text: clients compare it.
const NO_DEVICE: &str = "There are no supported devices";
const NO_TOKEN: &str = "This program is not approved to use the headset: it must show the token of endpoint.json, a web page must be approved in Hookswitch's window on the page Softphones.";

/// Case and a trailing slash do not matter to these clients.
pub(super) fn is_spokes(path: &str) -> bool {
    path.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("/spokes/"))
}

// Keys in this order, which some clients search by text.
#[derive(Serialize)]
struct Envelope<T> {
    #[serde(rename = "Description")]
    description: &'static str,
    #[serde(rename = "Err", skip_serializing_if = "Option::is_none")]
    err: Option<Err>,
    #[serde(rename = "Result", skip_serializing_if = "Option::is_none")]
    result: Option<T>,
    #[serde(rename = "Type")]
    kind: u8,
    #[serde(rename = "Type_Name")]
    kind_name: &'static str,
    #[serde(rename = "isError")]
    is_error: bool,
}

#[derive(Serialize)]
struct Err {
    #[serde(rename = "Description")]
    description: String,
    #[serde(rename = "Error_Code")]
    error_code: u32,
    #[serde(rename = "Type")]
    kind: ErrType,
}

#[derive(Clone, Copy)]
enum ErrType {
    Exception = 2,
    Device = 5,
}

impl Serialize for ErrType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(*self as u8)
    }
}

// In ordinal order.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DeviceInfo {
    base_firmware_version: &'static str,
    base_serial_number: &'static str,
    bluetooth_firmware_version: &'static str,
    device_path: String,
    headset_serial_number: &'static str,
    internal_name: String,
    is_attached: bool,
    manufacturer_name: String,
    product_id: u16,
    product_name: String,
    remote_firmware_version: &'static str,
    serial_number: String,
    #[serde(rename = "USBVersionNumber")]
    usb_version_number: String,
    uid: String,
    vendor_id: u16,
}

/// Everything below `/Spokes/`.
pub(super) async fn answer(
    State(door): State<Arc<Door>>,
    Extension(caller): Extension<Caller>,
    method: Method,
    uri: Uri,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    if !matches!(method, Method::GET | Method::HEAD) {
        return Err(super::method_not_allowed_at(&uri));
    }
    let callback = callback(query.as_deref().unwrap_or_default())?;
    let path = uri.path().trim_end_matches('/');
    let body = match &caller {
        Caller::Unwelcome { client, why } if *client != ClientId::Unnamed => {
            let problem = caller::unwelcome(client, *why).problem;
            error(format!("{client}: {}. {}", problem.what, problem.next), ErrType::Exception)
        }
        Caller::Unwelcome { .. } | Caller::Stranger => error(NO_TOKEN.to_owned(), ErrType::Exception),
        _ if path.eq_ignore_ascii_case("/Spokes/DeviceServices/Info") => info(&door, caller.reads(&door)),
        _ => error(format!("{path} is not offered by Hookswitch"), ErrType::Exception),
    };
    Ok(respond(callback.as_deref(), body))
}

fn info(door: &Door, reader: Reader<'_>) -> String {
    let view = door.handle.view();
    match view.devices.iter().find(|d| Some(&d.id) == view.headset.as_ref()) {
        Some(device) => json(&Envelope {
            description: "Active Device Info",
            err: None,
            result: Some(DeviceInfo::seen_by(device, reader)),
            kind: 4,
            kind_name: "DeviceInfo",
            is_error: false,
        }),
        None => error(NO_DEVICE.to_owned(), ErrType::Device),
    }
}

fn error(description: String, kind: ErrType) -> String {
    json(&Envelope::<()> {
        description: "",
        err: Some(Err { description, error_code: 0, kind }),
        result: None,
        kind: 1,
        kind_name: "Error",
        is_error: true,
    })
}

fn json<T: Serialize>(envelope: &Envelope<T>) -> String {
    serde_json::to_string(envelope).unwrap_or_default()
}

/// The first `callback` of the query. A name is an identifier with dots, nothing that could be more than a name.
fn callback(query: &str) -> Result<Option<String>, Refusal> {
    let Some((_, name)) = url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "callback")
    else {
        return Ok(None);
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '$');
    if name.is_empty() || name.len() > MAX_CALLBACK_BYTES || !name.chars().all(plain) {
        return Err(Refusal::invalid("A callback is 1 to 64 of A-Z a-z 0-9 _ . $", "callback"));
    }
    Ok(Some(name.into_owned()))
}

fn respond(callback: Option<&str>, json: String) -> Response {
    let (kind, body) = match callback {
        Some(name) => ("application/javascript; charset=utf-8", format!("{name}({json});")),
        None => ("application/json", json),
    };
    (StatusCode::OK, [(header::CONTENT_TYPE, HeaderValue::from_static(kind))], body).into_response()
}

impl DeviceInfo {
    fn seen_by(device: &Device, reader: Reader<'_>) -> Self {
        // 32 hex digits that stay the same for the same headset, as far as its id does.
        let id = reader.device_id(&device.id);
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, id.as_bytes());
        let uid = crate::shell::secret::hex(&digest.as_ref()[..16]).to_uppercase();
        Self {
            base_firmware_version: "0",
            base_serial_number: "",
            bluetooth_firmware_version: "0",
            device_path: device.port.clone().filter(|_| !reader.is_page()).unwrap_or_default(),
            headset_serial_number: "",
            internal_name: device.product.clone(),
            is_attached: true,
            manufacturer_name: device.vendor.clone(),
            product_id: device.product_id,
            product_name: device.product.clone(),
            remote_firmware_version: "0",
            serial_number: reader.serial(device.serial.as_ref()).unwrap_or_default(),
            usb_version_number: device.firmware_version.replace('.', ""),
            uid,
            vendor_id: device.vendor_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callbacks_are_names() {
        let name = |query| callback(query).ok();
        assert_eq!(name("callback=jsonp_17_1"), Some(Some("jsonp_17_1".to_owned())));
        assert_eq!(name("&callback=jQuery.a$b&_=17"), Some(Some("jQuery.a$b".to_owned())));
        assert_eq!(name("uid=1"), Some(None));
        for hostile in ["callback=", "callback=a(", "callback=a%3Balert", "callback=%E2%80%A8a"] {
            assert_eq!(name(hostile), None, "{hostile}");
        }
        assert_eq!(name(&format!("callback={}", "a".repeat(65))), None);
    }

    #[test]
    fn paths_in_any_case() {
        assert!(is_spokes("/Spokes/DeviceServices/Info"));
        assert!(is_spokes("/spokes/x"));
        assert!(!is_spokes("/Spoke"));
        assert!(!is_spokes("/spökes/x"));
    }
}
