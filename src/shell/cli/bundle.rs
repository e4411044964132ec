//! `hookswitch bundle`: what support needs, in one zip.

use super::{Context, Done, output};
use crate::shell::bundle::{self, BundleParts};
use crate::shell::hardware::Hardware;
use crate::shell::os;
use clap::Args;
use device_handlers::report::ReportDescriptor;
use hub::locale::Message;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(super) struct Options {
    #[arg(short, long, value_name = "FILE", default_value = "hookswitch-bundle.zip")]
    output: PathBuf,
    #[arg(long)]
    preview: bool,
}

pub(super) fn execute(options: &Options, context: &Context, hardware: impl FnOnce() -> Hardware) -> Done {
    let (view, agent_settings) = match context.agent()? {
        Some(mut agent) => (Some(super::agent::view(&mut agent)?), Some(agent.settings())),
        None => (None, None),
    };
    let status_json = view.as_ref().and_then(|view| serde_json::to_string_pretty(view).ok());
    let os_user = os::user_name();
    let users: Vec<&str> =
        view.iter().map(|view| view.user.as_str()).chain(std::iter::once(os_user.as_str())).collect();
    let descriptors = descriptors(hardware());
    let parts = BundleParts {
        status_json: status_json.as_deref(),
        settings: &context.settings,
        agent_settings: agent_settings.as_ref().map(Result::as_ref),
        descriptors: &descriptors,
        logs: &context.folders.state,
        users: &users,
    };
    if options.preview {
        output::json(&bundle::preview(&parts));
        return Ok(());
    }
    let summary = bundle::write(&parts, &options.output)?;
    let message = Message::new("cli-bundle-written")
        .text("file", options.output.display().to_string())
        .number("count", summary.entries.len() as i64);
    output::line(&context.locale.format(&message));
    for missing in &summary.missing {
        let message = Message::new("cli-bundle-missing")
            .text("name", &missing.name)
            .text("reason", missing.reason.text(&context.locale));
        output::line(&context.locale.format(&message));
    }
    Ok(())
}

/// Of everything that looks like a headset, and of what does not decode: that is what support wants to see.
fn descriptors(hardware: Hardware) -> Vec<(String, Vec<u8>)> {
    let Hardware { mut hid, .. } = hardware;
    let nodes = hid.enumerate().unwrap_or_default();
    let named = nodes.into_iter().filter_map(|node| {
        let bytes = node.descriptor?;
        let wanted = ReportDescriptor::parse(&bytes).map_or(true, |d| d.has_telephony());
        wanted.then(|| (format!("{:04x}-{:04x}", node.vendor_id, node.product_id), bytes))
    });
    named.collect()
}
