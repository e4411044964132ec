//! What one request to `/Spokes` asks for, read as forgivingly as the old hub did: case and a trailing slash do not
//! matter, what is not known is ignored, and of a parameter that is there twice the first one counts: what follows it may
//! be the rest of a caller's name with an `&` in it, which these softphones send as it is. Of the callback, which they send
//! last, the last one counts for the same reason.

use serde_json::Value;

/// Longest query, in bytes as sent. Those of softphones have some hundred.
pub const MAX_QUERY_BYTES: usize = 8 * 1024;
/// Longest name of a JSONP callback, in bytes.
const MAX_CALLBACK_BYTES: usize = 64;
/// Parameters that are looked at.
const MAX_PARAMETERS: usize = 32;
/// Longest name of a plugin, in bytes.
const MAX_NAME_BYTES: usize = 256;
/// Ids come back as JSON numbers, which are exact up to here in every client.
const MAX_ID: u64 = (1 << 53) - 1;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The answer is to be a call of this function. It is a name and nothing more.
    pub callback: Option<String>,
    pub asks: Asks,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asks {
    /// About the headset that carries the calls.
    Info,
    Attach,
    /// Of a session that [`Asks::Attach`] gave; empty where the request names none.
    OfSession(String, OfSession),
    /// Of a plugin, by its name, byte for byte; empty where the request names none that could be one.
    OfPlugin(String, OfPlugin),
    PluginList,
    CallManagerState,
    GetDefaultSoftPhone,
    /// Nothing that can be answered; why, in English.
    Nothing(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfSession {
    Release,
    /// Of these queues; 0 = of all.
    Events {
        queues: u32,
    },
    GetRegistry,
    SetRegistry {
        queues: u32,
    },
    AddRegistry {
        queues: u32,
    },
    RemoveRegistry {
        queues: u32,
    },
    /// In ms; `None` asks what it is.
    Ttl {
        queues: u32,
        ms: Option<u32>,
    },
    MaxCount {
        queues: u32,
        count: Option<u32>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OfPlugin {
    Register,
    UnRegister,
    IsActive,
    SetDefaultSoftPhone,
    IncomingCall { call: CallId, contact: Option<String> },
    OutgoingCall { call: CallId, contact: Option<String> },
    AnswerCall(CallId),
    TerminateCall(CallId),
    HoldCall(CallId),
    ResumeCall(CallId),
    MuteCall { muted: Option<bool> },
    CallEvents,
    CallRequests,
}

/// A call as the softphone names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallId {
    Number(u64),
    /// Some text that is no number: a softphone that lost track of its own call says `undefined`.
    Unknown,
    /// The request names no call.
    Missing,
}

/// Whether the path is one of the old hub's.
pub fn is_spokes(path: &str) -> bool {
    path.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("/spokes/"))
}

impl Request {
    pub fn parse(path: &str, query: &str) -> Self {
        let callback = match callback(query) {
            Ok(callback) => callback,
            Err(why) => return Self { callback: None, asks: Asks::Nothing(why) },
        };
        let asks = match query.len() {
            ..=MAX_QUERY_BYTES => asks(path, &Query::parse(query)),
            _ => Asks::Nothing(format!("A query has at most {MAX_QUERY_BYTES} bytes")),
        };
        Self { callback, asks }
    }
}

fn asks(path: &str, query: &Query) -> Asks {
    let path = path.trim_end_matches('/');
    let below = path.get(8..).unwrap_or_default().to_ascii_lowercase();
    let plugin = |asks| Asks::OfPlugin(query.name(), asks);
    // What is no number is none of the queues, and not all of them either.
    let unread = query.get("queue").is_some() && query.number("queue").is_none();
    let session = |asks| match unread {
        true => Asks::Nothing("queue is a number".to_owned()),
        false => Asks::OfSession(query.text("sess").to_owned(), asks),
    };
    let (call, contact) = (|| query.call(), || query.contact());
    match below.as_str() {
        "deviceservices/info" => Asks::Info,
        "deviceservices/attach" => Asks::Attach,
        "deviceservices/release" => session(OfSession::Release),
        "deviceservices/events" => session(OfSession::Events { queues: query.queues() }),
        "eventmanager/getregistry" => session(OfSession::GetRegistry),
        // Whoever names no queue wants to know.
        "eventmanager/setregistry" if query.get("queue").is_none() => session(OfSession::GetRegistry),
        "eventmanager/setregistry" => session(OfSession::SetRegistry { queues: query.queues() }),
        "eventmanager/addregistry" => session(OfSession::AddRegistry { queues: query.queues() }),
        "eventmanager/removeregistry" => session(OfSession::RemoveRegistry { queues: query.queues() }),
        "eventmanager/globalttl" => session(OfSession::Ttl { queues: 0, ms: query.number("ttl") }),
        "eventmanager/ttl" => session(OfSession::Ttl { queues: query.queues(), ms: query.number("ttl") }),
        "eventmanager/globalmaxcount" => {
            session(OfSession::MaxCount { queues: 0, count: query.number("max") })
        }
        "eventmanager/maxcount" => {
            session(OfSession::MaxCount { queues: query.queues(), count: query.number("max") })
        }
        "sessionmanager/register" => plugin(OfPlugin::Register),
        "sessionmanager/unregister" => plugin(OfPlugin::UnRegister),
        "sessionmanager/isactive" => plugin(OfPlugin::IsActive),
        "sessionmanager/pluginlist" => Asks::PluginList,
        "callservices/incomingcall" => plugin(OfPlugin::IncomingCall { call: call(), contact: contact() }),
        "callservices/outgoingcall" => plugin(OfPlugin::OutgoingCall { call: call(), contact: contact() }),
        "callservices/answercall" => plugin(OfPlugin::AnswerCall(call())),
        "callservices/terminatecall" => plugin(OfPlugin::TerminateCall(call())),
        "callservices/holdcall" => plugin(OfPlugin::HoldCall(call())),
        "callservices/resumecall" => plugin(OfPlugin::ResumeCall(call())),
        "callservices/mutecall" => plugin(OfPlugin::MuteCall { muted: query.truth("muted") }),
        "callservices/callevents" => plugin(OfPlugin::CallEvents),
        "callservices/callrequests" => plugin(OfPlugin::CallRequests),
        "callservices/callmanagerstate" => Asks::CallManagerState,
        "userpreference/setdefaultsoftphone" => plugin(OfPlugin::SetDefaultSoftPhone),
        "userpreference/getdefaultsoftphone" => Asks::GetDefaultSoftPhone,
        _ => {
            let shown: String = path.chars().take(128).collect();
            Asks::Nothing(format!("{shown} is not offered by Hookswitch"))
        }
    }
}

/// A name is an identifier with dots, nothing that could be more than a name.
fn callback(query: &str) -> Result<Option<String>, String> {
    let named =
        url::form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key.eq_ignore_ascii_case("callback"));
    let Some((_, name)) = named.last() else { return Ok(None) };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '$');
    if name.is_empty() || name.len() > MAX_CALLBACK_BYTES || !name.chars().all(plain) {
        return Err(format!("A callback is 1 to {MAX_CALLBACK_BYTES} of A-Z a-z 0-9 _ . $"));
    }
    Ok(Some(name.into_owned()))
}

struct Query(Vec<(String, String)>);

impl Query {
    fn parse(query: &str) -> Self {
        let owned = |(key, value): (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)| {
            (key.into_owned(), value.into_owned())
        };
        Self(url::form_urlencoded::parse(query.as_bytes()).take(MAX_PARAMETERS).map(owned).collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    fn number(&self, name: &str) -> Option<u32> {
        self.get(name)?.trim().parse().ok()
    }

    fn queues(&self) -> u32 {
        self.number("queue").unwrap_or(0)
    }

    fn truth(&self, name: &str) -> Option<bool> {
        let text = self.get(name)?.trim();
        let is = |word: &str| text.eq_ignore_ascii_case(word);
        if is("true") || is("1") {
            return Some(true);
        }
        (is("false") || is("0")).then_some(false)
    }

    fn name(&self) -> String {
        let name = self.text("name");
        if name.len() > MAX_NAME_BYTES { String::new() } else { name.to_owned() }
    }

    /// `{"Id":"5"}`, `{"Id":5}`, `"5"` or `5`.
    fn call(&self) -> CallId {
        let Some(text) = self.get("callID").map(str::trim).filter(|text| !text.is_empty()) else {
            return CallId::Missing;
        };
        let json = serde_json::from_str::<Value>(text).ok();
        let id = match &json {
            Some(Value::Object(_)) => json.as_ref().and_then(|object| member(object, "Id")),
            Some(_) => json.as_ref(),
            None => None,
        };
        let number = match id {
            Some(Value::Number(number)) => number.as_u64(),
            Some(Value::String(digits)) => digits.trim().parse().ok(),
            _ => None,
        };
        number.filter(|id| *id <= MAX_ID).map_or(CallId::Unknown, CallId::Number)
    }

    /// What names a contact best. Nothing in it can be wrong enough to fail a call.
    fn contact(&self) -> Option<String> {
        const BEST_FIRST: [&str; 8] =
            ["Name", "FriendlyName", "Phone", "WorkPhone", "MobilePhone", "HomePhone", "SipUri", "Email"];
        let contact: Value = serde_json::from_str(self.get("contact")?).ok()?;
        let said = |name: &str| match member(&contact, name)? {
            Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        BEST_FIRST.into_iter().find_map(said)
    }
}

/// In any case of letters.
fn member<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    object.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(query: &str) -> Query {
        Query::parse(query)
    }

    #[test]
    fn callbacks_are_names() {
        let name = |text: &str| callback(text).ok();
        assert_eq!(name("callback=jsonp_17_1"), Some(Some("jsonp_17_1".to_owned())));
        assert_eq!(name("&callback=jQuery.a$b&_=17"), Some(Some("jQuery.a$b".to_owned())));
        assert_eq!(name("uid=1"), Some(None));
        for hostile in ["callback=", "callback=a(", "callback=a%3Balert", "callback=%E2%80%A8a"] {
            assert_eq!(name(hostile), None, "{hostile}");
        }
        assert_eq!(name(&format!("callback={}", "a".repeat(65))), None);
        // The far end of a call chooses its name, and the softphone sends it as it is.
        let injected = r#"name=P&callID=2&contact={"Name":"Eve&callback=opener.evil&name=Q&callID=7&muted=true&x="}&callback=f"#;
        assert_eq!(name(injected), Some(Some("f".to_owned())));
        let call = OfPlugin::IncomingCall { call: CallId::Number(2), contact: None };
        let asks = Request::parse("/Spokes/CallServices/IncomingCall", injected).asks;
        assert_eq!(asks, Asks::OfPlugin("P".to_owned(), call));
        let many = format!("{}callback=f", "x=&".repeat(MAX_PARAMETERS + 1));
        assert_eq!(name(&many), Some(Some("f".to_owned())));
    }

    #[test]
    fn a_call_is_named_in_every_form_that_was_seen() {
        for five in [
            "callID={%22Id%22:%225%22}",
            "callID=%7B%22Id%22%3A%225%22%7D",
            r#"callID={"Id":"5"}"#,
            r#"callID={"Id":5}"#,
            r#"callid={"id": " 5 ","x":[1]}"#,
            "name=a&callId=5",
            "callID=%225%22",
            "callID=5&callID=6",
        ] {
            assert_eq!(query(five).call(), CallId::Number(5), "{five}");
        }
        for unknown in [
            r#"callID={"Id":"undefined"}"#,
            "callID=undefined",
            "callID={",
            "callID={}",
            "callID=[5]",
            "callID=-5",
            "callID=5.5",
            "callID=9007199254740992",
            "callID=99999999999999999999999",
            "callID=null",
        ] {
            assert_eq!(query(unknown).call(), CallId::Unknown, "{unknown}");
        }
        for missing in ["", "callID=", "name=5"] {
            assert_eq!(query(missing).call(), CallId::Missing, "{missing}");
        }
    }

    #[test]
    fn a_broken_contact_is_none() {
        let contact = |text: &str| query(text).contact();
        assert_eq!(contact("contact={%22Name%22:%22Kim%20Park%22}").as_deref(), Some("Kim Park"));
        assert_eq!(contact(r#"contact={"Id":1,"Name":"","Phone":"+4930"}"#).as_deref(), Some(" 4930".trim()));
        for broken in [
            r#"contact={"Name":"Tom "#,
            r#"contact={"Name":"Tom & Jerry"}"#,
            r#"contact={"Name":"a"b"}"#,
            "contact=Kim",
            "contact=",
            "contact=[]",
            r#"contact={"Name":{}}"#,
            "",
        ] {
            assert_eq!(contact(broken), None, "{broken}");
        }
    }

    #[test]
    fn paths_and_parameters_in_any_case_and_unknown_ones_ignored() {
        let parse = |path, query| Request::parse(path, query).asks;
        let mute = Asks::OfPlugin("My Phone ".to_owned(), OfPlugin::MuteCall { muted: Some(true) });
        for path in [
            "/Spokes/CallServices/MuteCall",
            "/spokes/callservices/mutecall/",
            "/SPOKES/CALLSERVICES/MUTECALL",
        ] {
            assert!(is_spokes(path));
            assert_eq!(parse(path, "&_=1&name=My%20Phone%20&Muted=TRUE&x&=y"), mute, "{path}");
        }
        assert!(matches!(parse("/Spokes/CallServices/MuteCalls", ""), Asks::Nothing(_)));
        assert!(matches!(parse("/Spokes/", ""), Asks::Nothing(_)));
        assert!(!is_spokes("/Spoke") && !is_spokes("/spökes/x"));
        let long = "a".repeat(MAX_QUERY_BYTES + 1);
        assert!(matches!(parse("/Spokes/DeviceServices/Info", &long), Asks::Nothing(_)));
        // Who cannot read anything but a call of its function reads that, too.
        let long = Request::parse("/Spokes/DeviceServices/Info", &format!("x={long}&callback=f"));
        assert!(long.callback.as_deref() == Some("f") && matches!(long.asks, Asks::Nothing(_)), "{long:?}");
        let name = format!("name={}", "a".repeat(MAX_NAME_BYTES + 1));
        let nameless = Asks::OfPlugin(String::new(), OfPlugin::Register);
        assert_eq!(parse("/Spokes/SessionManager/Register", &name), nameless);
    }
}
