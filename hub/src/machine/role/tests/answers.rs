//! What the buses, the disk and the tenant answer.

use super::*;

impl Rig {
    /// What is on disk is there at once.
    pub(super) fn answer_kept(&mut self) {
        let Some((job, Source::Kept(package))) = self.fetch.clone() else { return };
        let known = self.packages.as_ref().and_then(|all| all.get(&package.sha256)).cloned();
        let result = known.ok_or_else(|| {
            let problem = Reason::PackageNotKept.at("packages");
            TenantFailure { kind: FailureKind::Rejected, problem, retry_after: None }
        });
        self.feed(Input::Fetched { job, result });
    }

    pub(super) fn ask_fetch(&mut self, job: JobId, from: Source, keep: &BTreeSet<Sha256>) {
        assert_eq!(self.fetch, None, "a second package beside {from:?}");
        let needed = self.disk.journal.values().filter_map(|entry| entry.package);
        assert!(needed.into_iter().all(|p| keep.contains(&p.sha256)), "the way out may be thrown away");
        self.fetch = Some((job, from));
    }

    /// The oldest output report is taken or refused; `false` if there is none.
    pub(super) fn answer_write(&mut self, taken: bool) -> bool {
        let Some((path, ticket, _)) = self.writes.pop_front() else { return false };
        let result = if taken { Ok(()) } else { Err(Detail::verbatim("stalled")) };
        self.feed(Input::HidWritten { path, ticket, result });
        true
    }

    pub(super) fn answer_bus(&mut self) {
        while self.answer_write(true) {}
        while let Some(path) = self.opens.pop() {
            let result = match self.denied.contains(&path) {
                true => Err(Reason::HidAccessDenied { error: "denied".to_owned() }.at(&path)),
                false => {
                    self.open.insert(path.clone());
                    Ok(())
                }
            };
            self.feed(Input::HidOpened { path, result });
        }
        if let Some(usb) = self.scans.pop() {
            let usb = usb || std::mem::take(&mut self.scans).contains(&true);
            self.feed(Input::Scanned(self.bus(usb)));
        }
    }

    pub(super) fn bus(&self, usb: bool) -> Scan {
        Scan {
            hid: self.headsets.iter().filter_map(Headset::node).collect(),
            usb: usb.then(|| self.headsets.iter().filter_map(Headset::device).collect()),
        }
    }

    /// What is fetched fails, else what the tenant is asked.
    pub(super) fn fail(&mut self, kind: FailureKind, retry_after: Option<Duration>) {
        if let (FailureKind::Rejected, None, Some(TenantRequest::Deliver { owed, .. })) =
            (kind, &self.fetch, &self.tenant)
        {
            self.given_up += usize::from(owed.len() == 1);
        }
        let problem = Reason::TenantUnreachable { detail: Detail::verbatim("no answer") }.at("https://t");
        let failure = TenantFailure { kind, problem, retry_after };
        if let Some((job, _)) = self.fetch {
            return self.feed(Input::Fetched { job, result: Err(failure) });
        }
        self.fail_errand(failure);
    }

    pub(super) fn fail_errand(&mut self, failure: TenantFailure) {
        let answer = match self.tenant.as_ref().expect("a request") {
            TenantRequest::Enrol { .. } => TenantAnswer::Enrolled(Err(failure)),
            TenantRequest::FetchPolicy { .. } => TenantAnswer::Policy(Err(failure)),
            TenantRequest::Deliver { .. } => TenantAnswer::Delivered(Err(failure)),
            TenantRequest::AssignedGroups { .. } => TenantAnswer::Assigned(Err(failure)),
        };
        self.feed(Input::Tenant(answer));
    }
}
