//! What is written to the device, once the package agrees with the policy.

use super::Target;
use super::problems::refused_package;
use crate::machine::deviations::deviations;
use crate::machine::{Archive, JournalEntry};
use crate::protocol::{Detail, Job, Problem};
use dfu::package::Product;
use dfu::usb_dfu::{Phase, Plan};
use dfu::{FirmwareVersion, Method};
use std::time::Duration;

/// A job as the journal knows it.
pub fn job_of(entry: &JournalEntry) -> Job {
    Job {
        offer: entry.offer.clone(),
        device: entry.device.clone(),
        name: entry.name.clone(),
        from_version: entry.from_version.clone(),
        to_version: entry.target_version.clone(),
        ..Job::default()
    }
}

/// What is to be done, and how.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) method: Method,
    pub(super) plan: Plan,
    pub(super) component: String,
}

/// The package must agree with the policy in every point before the device is touched.
pub(super) fn plan(
    archive: &Archive,
    job: &Job,
    target: &Target,
    resume: Option<Phase>,
) -> Result<Planned, Problem> {
    let refused = |error: Detail| refused_package(&job.name, error, resume.is_some());
    let package = archive.contents.as_ref().map_err(|error| refused(error.clone()))?;
    let wanted: FirmwareVersion = job.to_version.parse().map_err(|error| refused(Detail::from(&error)))?;
    let dfu_pids = target.description.firmware.dfu_pids.clone();
    let ids = dfu::package::Target { vid: target.runtime.vid, pid: target.runtime.pid };
    let misfits = package.misfits(&[Product { target: ids, dfu_pids: dfu_pids.clone() }], Some(wanted));
    if let Some(misfit) = misfits.first() {
        return Err(refused(Detail::from(misfit)));
    }
    // That there is one is what fits.
    let component = package
        .rules
        .components
        .first()
        .ok_or_else(|| refused(Detail::new("package-no-image", "the component has no image")))?;
    if let Some(other) = &target.description.firmware.method {
        let built: Method = other.parse().map_err(|error| refused(Detail::from(&error)))?;
        if built != component.method {
            let why = format!("it is written by {}, the headset takes {built}", component.method);
            let why = Detail::new("package-other-method", why);
            return Err(refused(why.with("method", component.method).with("wanted", built)));
        }
    }
    let image = package
        .component_image(&component.id)
        .copied()
        .ok_or_else(|| refused(Detail::new("package-no-image", "the component has no image")))?;
    let plan = Plan {
        runtime: target.runtime.clone(),
        dfu_pids,
        image,
        target_version: wanted,
        deviations: deviations(&target.description.firmware.usb_dfu),
        reenumerate_timeout: target.description.firmware.reenumerate_timeout.max(Duration::from_millis(100)),
        resume,
    };
    Ok(Planned { method: component.method, plan, component: component.id.clone() })
}
