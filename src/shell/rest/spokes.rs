//! `/Spokes`: the doorway that softphones written for the Plantronics Hub know. What they ask and what comes of it is
//! decided in `hub::user::spokes`; here it is read and written. One answer is one envelope, with HTTP status 200 for
//! errors too, because the script elements that ask cannot read any other.

use super::caller::{self, Caller};
use super::door::Door;
use super::reader::Reader;
use super::refusal::Refusal;
use crate::shell::handle::Stopping;
use crate::shell::secret;
use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use hub::protocol::Device;
use hub::protocol::client::ClientId;
use hub::user::spokes::Asker;
use hub::user::spokes::envelope::{self, Envelope, Error, Kind};
pub(super) use hub::user::spokes::request::is_spokes;
use hub::user::spokes::request::{Asks, Request};
use hub::user::{Command, Reply};
use serde::Serialize;
use std::sync::Arc;

const NO_TOKEN: &str = "Whoever asks is not approved to use the headset: a web page must ask by a script and say which page it is (Referrer-Policy), and be approved in Hookswitch's window on the page Softphones; a program that the system does not name must show the token of endpoint.json.";

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
    /// Its name before it was that of the USB version.
    version_number: String,
}

/// Whether who asked for this reads a refusal in an envelope alone. A foreign name gets none: it is no softphone's.
pub(super) fn is_readable(asked: &Parts, refusal: &Refusal) -> bool {
    is_spokes(asked.uri.path()) && asked.method == Method::GET && refusal.is_of_request()
}

/// What [`super::access`] refuses.
pub(super) fn refused(uri: &Uri, refusal: &Refusal) -> Response {
    let callback = Request::parse(uri.path(), uri.query().unwrap_or_default()).callback;
    let why = format!("{} ({}). {}", refusal.problem.what, refusal.problem.place, refusal.problem.next);
    respond(callback.as_deref(), Error::Exception(why).json())
}

/// Everything below `/Spokes/`. Reading takes events away and nothing but GET is asked, so HEAD is no way in.
pub(super) async fn answer(
    State(door): State<Arc<Door>>,
    Extension(caller): Extension<Caller>,
    method: Method,
    uri: Uri,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    if method != Method::GET {
        return Err(super::method_not_allowed_at(&uri));
    }
    let Request { callback, asks } = Request::parse(uri.path(), query.as_deref().unwrap_or_default());
    let json = match (caller, asks) {
        (Caller::Unwelcome { client, why }, _) if client != ClientId::Unnamed => {
            let problem = caller::unwelcome(&client, why).problem;
            Error::Exception(format!("{client}: {}. {}", problem.what, problem.next)).json()
        }
        (Caller::Unwelcome { .. } | Caller::Stranger, _) => Error::Exception(NO_TOKEN.to_owned()).json(),
        (caller, Asks::Info) => info(&door, caller.reads(&door)),
        (Caller::Softphone { client, label, .. }, asks) => ask(&door, client, label, asks).await?,
    };
    Ok(respond(callback.as_deref(), json))
}

async fn ask(door: &Door, client: ClientId, label: Option<String>, asks: Asks) -> Result<String, Refusal> {
    let Ok(fresh) = secret::chance() else {
        return Ok(Error::Exception("The system gives no random numbers".to_owned()).json());
    };
    let command = Command::Spokes { asker: Asker { client, label, fresh }, asks };
    match door.handle.command(command).await {
        Ok(Reply::Spokes(json)) => Ok(json),
        Ok(Reply::Refused(refusal)) => Ok(Error::Exception(refusal.problem.to_string()).json()),
        Ok(Reply::Call(_) | Reply::Done | Reply::Stranger(_)) => {
            Ok(Error::Exception("The agent did not answer that; please report this".to_owned()).json())
        }
        Err(Stopping) => Err(Refusal::stopping()),
    }
}

fn info(door: &Door, reader: Reader<'_>) -> String {
    let view = door.handle.view();
    match view.devices.iter().find(|d| Some(&d.id) == view.headset.as_ref()) {
        Some(device) => {
            let info = DeviceInfo::seen_by(device, reader);
            Envelope::new("Active Device Info", Kind::DeviceInfo, info).json()
        }
        None => Error::NoDevice.json(),
    }
}

fn respond(callback: Option<&str>, json: String) -> Response {
    // A browser that was told not to guess runs nothing but JavaScript.
    let (kind, body) = match callback {
        Some(name) => ("application/javascript; charset=utf-8", envelope::script(name, &json)),
        None => ("application/json", json),
    };
    (StatusCode::OK, [(header::CONTENT_TYPE, HeaderValue::from_static(kind))], body).into_response()
}

impl DeviceInfo {
    fn seen_by(device: &Device, reader: Reader<'_>) -> Self {
        // 32 hex digits that stay the same for the same headset, as far as its id does.
        let id = reader.device_id(&device.id);
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, id.as_bytes());
        let uid = secret::hex(&digest.as_ref()[..16]).to_uppercase();
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
            version_number: device.firmware_version.replace('.', ""),
        }
    }
}
