//! Cables pulled, crashes, refused packages, a network that is cut, and updates of other headsets, in any order. After
//! each step the rig's rules hold: a headset in DFU mode is in the running job or in the journal, shown, and offered. In
//! the end the network is gone for good, and every headset works again all the same.

use super::headset::{Life, is_whole, offer, package};
use super::*;
use crate::protocol::Deployment;
use dfu::usb_dfu::TransferError;
use std::cell::Cell;

/// Rounds that are the same each time; there are as many that never were.
const KNOWN: u64 = 100;
const NEW: u16 = 0x0120;

/// What happened, to see that everything was tried.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    stranded: usize,
    recovered: usize,
    crashes: usize,
    pulled: usize,
    refused: usize,
    cut: usize,
    /// Another headset's update was started while one ran.
    another: usize,
}

struct Round {
    rig: Rig,
    random: fastrand::Rng,
    seen: Seen,
    /// Nothing gets through to the tenant.
    cut: bool,
    log: Vec<&'static str>,
}

impl Round {
    fn step(&mut self) {
        match self.random.u8(..20) {
            0..=4 => self.install(),
            5..=7 => self.package(),
            8..=12 => self.write(),
            13 | 14 => self.cable(),
            15 => {
                self.seen.crashes += 1;
                self.log.push("crash");
                let rig = std::mem::replace(&mut self.rig, Rig::managed(Vec::new()));
                self.rig = rig.crash();
            }
            16 => {
                self.cut = !self.cut;
                self.seen.cut += usize::from(self.cut);
                self.log.push("the network is cut, or back");
            }
            17 => {
                self.log.push("cancel");
                let mut jobs = self.rig.heard.queue.iter().chain(&self.rig.heard.job);
                let offer = jobs.next().filter(|_| self.random.bool()).map(|job| job.offer.clone());
                self.rig.request(|request| ToMachine::CancelUpdate { request, offer, anyway: true });
            }
            _ => {
                self.log.push("time passes");
                self.rig.pass(Duration::from_secs(self.random.u64(1..400)));
            }
        }
        self.tenant();
        self.rig.check_dfu();
        self.rig.check_mirror();
    }

    fn install(&mut self) {
        let offers = self.rig.offers();
        let Some(offer) = offers.get(self.random.usize(..offers.len().max(1))) else { return };
        self.log.push("install");
        let (offer, before) = (offer.id.clone(), self.rig.heard.queue.len());
        self.rig.request(|request| ToMachine::InstallUpdate { request, offer });
        self.seen.another += usize::from(self.rig.heard.queue.len() > before);
    }

    fn package(&mut self) {
        if !matches!(self.rig.fetch, Some((_, Source::Tenant { .. }))) {
            return;
        }
        if self.cut {
            self.log.push("no package");
            return self.rig.fail(FailureKind::Unreachable, None);
        }
        match self.random.u8(..4) {
            0 => {
                self.seen.refused += 1;
                self.log.push("a package that does not fit");
                self.rig.fetched(package(if self.random.bool() { 9 } else { 1 }, "1.30"));
            }
            _ => {
                self.log.push("the package");
                self.rig.fetched(package(1, "1.20"));
            }
        }
    }

    /// The headset at work takes some of what it is sent.
    fn write(&mut self) {
        self.log.push("some requests");
        let left = Cell::new(self.random.u32(1..16));
        self.rig.update_until(NEW, |_| {
            left.set(left.get() - 1);
            left.get() == 0
        });
    }

    fn cable(&mut self) {
        let n = self.random.usize(..self.rig.headsets.len());
        let life = self.rig.headsets[n].life;
        let at_work = self.rig.service.update.port() == self.rig.headsets[n].port.as_deref();
        if life == Life::Unplugged {
            self.log.push("plugged in");
            let boots = self.rig.headsets[n].boots();
            self.rig.headsets[n].becomes(boots);
        } else {
            self.seen.pulled += 1;
            self.log.push("pulled out");
            self.rig.headsets[n].becomes(Life::Unplugged);
            if at_work && self.rig.usb.is_some() {
                self.rig.answer_usb(Err(TransferError::NoDevice));
            }
        }
        self.rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    }

    /// What is asked beside the packages.
    fn tenant(&mut self) {
        for _ in 0..4 {
            let Some(request) = self.rig.tenant.clone() else { return };
            let answer = match request {
                _ if self.cut => {
                    let problem =
                        Reason::TenantUnreachable { detail: Detail::verbatim("no answer") }.at("https://t");
                    let kind = FailureKind::Unreachable;
                    return self.rig.fail_errand(TenantFailure { kind, problem, retry_after: None });
                }
                TenantRequest::Enrol { .. } => TenantAnswer::Enrolled(Ok(self.rig.enrolment(3600))),
                TenantRequest::FetchPolicy { .. } => TenantAnswer::Policy(Ok(None)),
                TenantRequest::Deliver { owed, .. } => {
                    TenantAnswer::Delivered(Ok(owed.into_iter().map(|o| o.id).collect()))
                }
                TenantRequest::AssignedGroups { .. } => TenantAnswer::Assigned(Ok(vec![])),
            };
            self.rig.feed(Input::Tenant(answer));
        }
    }

    /// The last start, without a network, with or without a company; every headset is plugged in.
    fn end(mut self) -> Seen {
        let stranded = |rig: &Rig| rig.headsets.iter().filter(|h| !h.whole).count();
        self.seen.stranded = stranded(&self.rig);
        let server = self.random.bool().then_some("https://t");
        let later = self.rig.an_hour_later();
        let Rig { disk, packages, headsets, .. } = self.rig;
        let mut rig = Rig::start_with(server, disk, packages, headsets, later);
        rig.hello();
        for n in 0..rig.headsets.len() {
            let life = rig.headsets[n].boots();
            if rig.headsets[n].life == Life::Unplugged {
                rig.headsets[n].becomes(life);
                rig.feed(Input::WorldChanged(WorldChange::HotPlug));
            }
        }
        for _ in 0..100 {
            rig.update_until(NEW, |_| false);
            rig.check_dfu();
            rig.check_mirror();
            let running = rig.job().is_some_and(|job| job.outcome.is_none());
            let offers = rig.offers();
            let mut open =
                offers.iter().filter(|o| o.deployment == Deployment::Recovery && o.blocked.is_none());
            if running && (rig.tenant.is_some() || rig.fetch.is_some()) {
                rig.fail(FailureKind::Unreachable, None);
            } else if running {
                rig.pass(Duration::from_secs(60));
            } else if let Some(offer) = open.next().map(|o| o.id.clone()) {
                rig.request(|request| ToMachine::InstallUpdate { request, offer });
            } else {
                break;
            }
        }
        rig.pass(Duration::from_secs(10));
        for headset in &rig.headsets {
            assert_eq!((headset.life, headset.whole), (Life::Runtime, true), "{}: lost", headset.id());
            let new = headset.version == NEW;
            assert!(
                headset.version == 0x0110 || new && is_whole(headset),
                "neither old nor new: {headset:?}"
            );
        }
        self.seen.recovered = self.seen.stranded - stranded(&rig);
        self.seen
    }
}

fn round(seed: u64) -> Seen {
    let headsets = vec![Headset::new(1), Headset::new(2), Headset { serial: None, ..Headset::new(3) }];
    let mut rig = Rig::ready(headsets, &offer("1.20"), &["all-users"]);
    rig.packages = Some(BTreeMap::new());
    let random = fastrand::Rng::with_seed(seed);
    let mut round = Round { rig, random, seen: Seen::default(), cut: false, log: Vec::new() };
    let attempt = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        for _ in 0..round.random.usize(10..80) {
            round.step();
        }
    }));
    println!("{seed}: {:?}", round.log);
    attempt.map_or_else(|panic| std::panic::resume_unwind(panic), |()| round.end())
}

#[test]
fn after_any_mishaps_every_headset_works_again_without_a_network() {
    let mut all = Seen::default();
    let mut rounds = 0;
    crate::seed::each(KNOWN, |seed| {
        let seen = round(seed);
        rounds += 1;
        all.stranded += seen.stranded;
        all.recovered += seen.recovered;
        all.crashes += seen.crashes;
        all.pulled += seen.pulled;
        all.refused += seen.refused;
        all.cut += seen.cut;
        all.another += seen.another;
    });
    println!("{rounds} rounds: {all:?}");
    assert_eq!(all.recovered, all.stranded);
    let tried = [all.stranded * 4, all.crashes, all.pulled, all.refused, all.cut, all.another];
    assert!(rounds == 1 || tried.iter().all(|n| *n >= 20), "not everything was tried: {all:?}");
}
