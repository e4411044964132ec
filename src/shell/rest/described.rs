//! What the contract says of each route, beyond its types: words, parameters, and who refuses what.

use super::caller::Power;
use super::refusal::{self, Code};
use super::wire;
use crate::contract::Schemas;
use axum::http::StatusCode;
use hub::user::WhyNot;
use serde_json::{Value, json};

/// One method of one path.
pub(super) struct Operation {
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) description: Option<&'static str>,
    pub(super) parameters: Vec<Value>,
    pub(super) body: Option<Body>,
    pub(super) answer: Answer,
    /// By its handler, besides those of the door.
    pub(super) refusals: Vec<Refused>,
}

pub(super) struct Body {
    pub(super) is_needed: bool,
    pub(super) schema: fn(&mut Schemas) -> Value,
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) description: &'static str,
    pub(super) headers: Option<Value>,
    pub(super) content: Content,
}

pub(super) enum Content {
    Json(fn(&mut Schemas) -> Value),
    /// A stream of [`wire::Event`].
    Events,
}

/// A way to refuse: its status, and the code that tells it.
#[derive(Clone, Copy)]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
}

fn door(code: Code) -> Refused {
    Refused { status: code.status(), code: code.word() }
}

/// By the agent; its room has the code.
fn agent(why: WhyNot, code: &'static str) -> Refused {
    Refused { status: refusal::status(why), code }
}

/// What is refused before a handler is asked.
pub(super) fn of_the_door(power: Power) -> Vec<Refused> {
    use Code::*;
    let all = [
        InvalidRequest,
        TokenNeeded,
        BodyTooSlow,
        BodyTooLarge,
        ContentType,
        HostNotLocal,
        TooManyWrongTokens,
        AgentStopping,
    ];
    let strangers = [OriginNotApproved, OriginDenied, OriginNotApprovable, ProgramDenied];
    let (strangers, pages): (&[Code], &[Code]) = match power {
        Power::Open | Power::Spokes => (&[], &[]),
        Power::Calls => (&strangers, &[]),
        Power::Updates => (&strangers, &[NotForPages]),
    };
    all.iter().chain(strangers).chain(pages).map(|code| door(*code)).collect()
}

fn done(schema: fn(&mut Schemas) -> Value) -> Answer {
    let content = Content::Json(schema);
    Answer { status: StatusCode::OK, description: "Done.", headers: None, content }
}

fn asks(id: &'static str, summary: &'static str, answer: Answer) -> Operation {
    let (description, parameters, body, refusals) = (None, Vec::new(), None, Vec::new());
    Operation { id, summary, description, parameters, body, answer, refusals }
}

/// All is said in the path.
fn nothing() -> Option<Body> {
    Some(Body { is_needed: false, schema: Schemas::asked::<wire::Empty> })
}

fn number() -> Value {
    json!({
        "name": "id",
        "in": "path",
        "required": true,
        "description": "Number of the call.",
        "schema": { "type": "integer", "minimum": 1 },
    })
}

pub(super) fn health() -> Operation {
    asks("health", "Whether the agent is there.", done(Schemas::said::<wire::Health>))
}

pub(super) fn openapi() -> Operation {
    let answer = Answer { description: "OpenAPI 3.1.", ..done(|_| json!({ "type": "object" })) };
    asks("openapi", "This document.", answer)
}

pub(super) fn status() -> Operation {
    let summary = "The company, the groups and what does not work.";
    asks("status", summary, done(Schemas::said::<wire::Status>))
}

pub(super) fn devices() -> Operation {
    asks("devices", "The headsets.", done(Schemas::said::<wire::Devices>))
}

pub(super) fn calls() -> Operation {
    asks("calls", "The calls of all softphones.", done(Schemas::said::<wire::Calls>))
}

pub(super) fn create_call() -> Operation {
    let location =
        json!({ "Location": { "schema": { "type": "string" }, "description": "Path of the call." } });
    let answer = Answer {
        status: StatusCode::CREATED,
        description: "The call.",
        headers: Some(location),
        ..done(Schemas::said::<wire::Call>)
    };
    Operation {
        body: Some(Body { is_needed: true, schema: Schemas::asked::<wire::CreateCall> }),
        refusals: vec![agent(WhyNot::TooManyCalls, "too-many-calls")],
        ..asks("createCall", "Begins a call: an incoming one rings the headset.", answer)
    }
}

pub(super) fn call() -> Operation {
    Operation {
        parameters: vec![number()],
        refusals: vec![door(Code::NoSuchCall)],
        ..asks("call", "One call.", done(Schemas::said::<wire::Call>))
    }
}

pub(super) fn act() -> Operation {
    let action = json!({
        "name": "action",
        "in": "path",
        "required": true,
        "description": "What is done.",
        "schema": { "type": "string", "enum": wire::ACTIONS.map(|(word, _)| word) },
    });
    let summary = "What the softphone does to its call. Doing it twice is no error; so a call that ended lately, also at \
                   the headset, can be ended once more.";
    let answer = Answer { description: "The call afterwards.", ..done(Schemas::said::<wire::Call>) };
    Operation {
        parameters: vec![number(), action],
        body: nothing(),
        refusals: vec![
            door(Code::NotFound),
            door(Code::NoSuchCall),
            agent(WhyNot::NotYourCall, "not-your-call"),
            agent(WhyNot::WrongCallState, "wrong-call-state"),
        ],
        ..asks("actOnCall", summary, answer)
    }
}

pub(super) fn updates() -> Operation {
    asks("updates", "Firmware offers and the job.", done(Schemas::said::<wire::Updates>))
}

pub(super) fn install() -> Operation {
    let offer = json!({
        "name": "offer",
        "in": "path",
        "required": true,
        "description": "Id of the offer, percent-encoded.",
        "schema": { "type": "string" },
    });
    let summary = "Asks for an offer to be installed; progress comes as events. While another headset is updated it waits \
                   for its turn.";
    let answer = Answer {
        status: StatusCode::ACCEPTED,
        description: "It will be installed.",
        ..done(Schemas::said::<wire::Accepted>)
    };
    Operation {
        description: Some("409 has the code of what stands in the way of the update, one of many."),
        parameters: vec![offer],
        body: nothing(),
        refusals: vec![
            agent(WhyNot::NoSuchOffer, "no-such-offer"),
            agent(WhyNot::Machine, "update-running"),
            agent(WhyNot::MachineAway, "machine-away"),
            agent(WhyNot::NoAnswer, "no-answer"),
        ],
        ..asks("installUpdate", summary, answer)
    }
}

pub(super) fn events() -> Operation {
    let parameter = |name, place, description| {
        let schema = json!({ "type": "string" });
        json!({ "name": name, "in": place, "required": false, "description": description, "schema": schema })
    };
    Operation {
        description: Some(
            "A client that creates calls keeps a stream open: when its last one has closed and none is opened within 30 \
             seconds, its calls end. A client that never opened one is left alone.",
        ),
        parameters: vec![
            parameter("after", "query", "Id of the last event seen; the header wins."),
            parameter("Last-Event-ID", "header", "Id of the last event seen, as an EventSource sends it."),
        ],
        ..asks(
            "events",
            "Server-sent events: `state` first, then numbered changes.",
            Answer {
                status: StatusCode::OK,
                description: "A client that comes back with the id of the last event it saw gets what it missed; if \
                              that is no longer known, `state` again.",
                headers: None,
                content: Content::Events,
            },
        )
    }
}
