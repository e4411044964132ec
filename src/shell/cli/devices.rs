//! `hookswitch devices`: from the running agent, or from the buses themselves.

use super::{Context, Done, output};
use crate::shell::hardware::Hardware;
use clap::{Args, Subcommand};
use hub::locale::Message;
use hub::machine::Scan;
use hub::machine::fleet::Fleet;
use hub::protocol::local::{LocalAnswer, LocalRequest, View};
use hub::protocol::printed::Devices;
use hub::protocol::{Device, DeviceStatus};
use hub::user::words::{self, Standstill};
use std::collections::VecDeque;

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Options {
    #[arg(long)]
    json: bool,
    #[arg(long)]
    watch: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand, Debug)]
enum Command {
    Use { device: String },
}

pub(super) fn list(options: &Options, context: &Context, hardware: impl FnOnce() -> Hardware) -> Done {
    if let Some(Command::Use { device }) = &options.command {
        return use_headset(device, context);
    }
    if options.watch {
        return watch(options, context);
    }
    match context.agent()? {
        Some(mut agent) => {
            let view = super::agent::heard(super::agent::view(&mut agent)?)?;
            print(options, context, Some(&view), &view.devices);
        }
        None => print(options, context, None, &look(hardware())?),
    }
    Ok(())
}

fn use_headset(device: &str, context: &Context) -> Done {
    let mut agent = context.need_agent()?;
    super::agent::expect_done(agent.ask(&LocalRequest::UseHeadset { device: device.to_owned() })?)?;
    output::line(&context.locale.format(&Message::new("cli-headset-chosen").text("id", device)));
    Ok(())
}

/// Every device a problem stands in the way of is listed all the same; only a bus that cannot be read is an error.
fn look(hardware: Hardware) -> Result<Vec<Device>, hub::protocol::Problem> {
    let Hardware { mut hid, mut usb, .. } = hardware;
    let mut fleet = Fleet::default();
    let mut out = VecDeque::new();
    let hid = hid.enumerate()?;
    let usb = usb.enumerate().ok();
    fleet.scanned(Scan { hid: hid.clone(), usb: None }, &mut out);
    fleet.scanned(Scan { hid, usb }, &mut out);
    Ok(fleet.devices().cloned().collect())
}

fn watch(options: &Options, context: &Context) -> Done {
    let mut agent = context.need_agent()?;
    let mut answer = agent.ask(&LocalRequest::Watch)?;
    let mut last: Option<(Vec<Standstill>, Box<View>)> = None;
    loop {
        if let LocalAnswer::View { view } = answer
            && !view.unheard
        {
            // What only the words tell.
            let told = view.devices.iter().filter(|_| !options.json);
            let told: Vec<Standstill> =
                told.map(|device| words::updating(view.job.as_ref(), &device.id)).collect();
            let is_same = last.as_ref().is_some_and(|(before, last)| {
                *before == told && (&last.headset, &last.devices) == (&view.headset, &view.devices)
            });
            if !is_same {
                match options.json {
                    true => {
                        let (headset, devices) = (view.headset.as_deref(), &view.devices[..]);
                        let document = Devices { agent_running: true, headset, devices };
                        output::json_line(&document);
                    }
                    false => print(options, context, Some(&view), &view.devices),
                }
                last = Some((told, view));
            }
        }
        answer = agent.next_answer()?;
    }
}

/// `view` is the running agent's.
fn print(options: &Options, context: &Context, view: Option<&View>, devices: &[Device]) {
    let (agent_running, headset) = (view.is_some(), view.and_then(|view| view.headset.as_deref()));
    if options.json {
        return output::json(&Devices { agent_running, headset, devices });
    }
    let say = |id: &'static str| context.locale.format(&Message::new(id));
    output::line(&say(if agent_running { "cli-agent-running" } else { "cli-agent-not-running" }));
    if devices.is_empty() {
        return output::line(&say("cli-no-headset"));
    }
    let mut rows =
        vec![["cli-device", "cli-firmware", "cli-call-control", "cli-state", "cli-id"].map(say).to_vec()];
    for device in devices {
        let (state, problem) = match &device.status {
            DeviceStatus::Ready if headset == Some(&device.id) && devices.len() > 1 => {
                (say("cli-in-use"), device.problem.as_ref())
            }
            DeviceStatus::Ready => (say("cli-ready"), device.problem.as_ref()),
            DeviceStatus::Updating => {
                let job = view.and_then(|view| view.job.as_ref());
                let state = match words::updating(job, &device.id) {
                    Standstill::No => "cli-updating",
                    Standstill::Unplugged => "cli-unplugged",
                    Standstill::Cancelling => "cli-cancelling",
                };
                (say(state), None)
            }
            DeviceStatus::NeedsFirmware { problem } => (say("cli-needs-firmware"), Some(problem)),
            DeviceStatus::Unavailable { problem } => (say("cli-unavailable"), Some(problem)),
        };
        rows.push(vec![
            format!("{} {}", device.vendor, device.product),
            device.firmware_version.clone(),
            say(if device.capabilities.call_control { "cli-yes" } else { "cli-no" }),
            state,
            device.id.clone(),
        ]);
        if let Some(problem) = problem {
            let text = context.locale.problem(problem);
            rows.push(vec![format!("  {text}")]);
        }
    }
    output::table(&rows);
}
