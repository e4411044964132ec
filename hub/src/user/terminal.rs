//! What the agent says in the terminal it was started in: once what runs and what does not, then each new problem.

use crate::locale::Message;
use crate::protocol::local::{Standing, View};
use crate::protocol::{Problem, TenantMode};

#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    Message(Message),
    Problem(Problem),
}

/// Remembers what was said. A problem that goes away and comes back is said again, and so is where softphones connect.
#[derive(Debug, Default)]
pub struct Terminal {
    said: Vec<Problem>,
    /// That pages ask: once, as long as any does. A flood of them is not for a terminal, and the list has them all.
    asks: bool,
    door: Option<String>,
}

impl Terminal {
    /// The first look: doors, headsets, problems, tenant, and what is off on purpose.
    pub fn start(&mut self, view: &View, headless: bool) -> Vec<Line> {
        let mut lines = self.door(view);
        if lines.is_empty() {
            lines.push(Line::Message(Message::new("cli-run-no-rest")));
        }
        if headless {
            lines.push(Line::Message(Message::new("cli-run-headless")));
        }
        match view.devices.as_slice() {
            [] if view.unheard => lines.push(Line::Message(Message::new("headsets-unheard"))),
            [] => lines.push(Line::Message(Message::new("cli-no-headset"))),
            devices => lines.extend(devices.iter().map(|device| {
                let message = Message::new("cli-run-device").text("name", &device.product);
                Line::Message(message.text("version", &device.firmware_version))
            })),
        }
        lines.extend(self.problems(view));
        match view.tenant.mode {
            _ if view.unheard => lines.push(Line::Message(Message::new("tenant-unheard"))),
            // Its problem, said above, is why.
            TenantMode::Locked => lines.push(Line::Message(Message::new("cli-run-locked"))),
            TenantMode::Consumer => lines.push(Line::Message(Message::new("cli-run-consumer"))),
            TenantMode::Server | TenantMode::Folder => {
                let id =
                    if view.tenant.mode == TenantMode::Server { "cli-run-tenant" } else { "cli-run-folder" };
                let server = view.tenant.server.clone().unwrap_or_default();
                lines.push(Line::Message(Message::new(id).text("server", server)));
            }
        }
        lines
    }

    /// What was not said yet: that softphones can connect by now, and problems.
    pub fn later(&mut self, view: &View) -> Vec<Line> {
        let mut lines = self.door(view);
        lines.extend(self.problems(view));
        lines
    }

    fn door(&mut self, view: &View) -> Vec<Line> {
        if self.door == view.rest.url {
            return Vec::new();
        }
        self.door.clone_from(&view.rest.url);
        let url = self.door.iter();
        url.map(|url| Line::Message(Message::new("cli-run-rest").text("url", url))).collect()
    }

    fn problems(&mut self, view: &View) -> Vec<Line> {
        let problems = || view.problems.iter().chain(&view.tenant.problem).chain(&view.groups_problem);
        self.said.retain(|said| problems().any(|problem| problem.is_same(said)));
        let mut lines = Vec::new();
        for problem in problems() {
            if !self.said.iter().any(|said| said.is_same(problem)) {
                self.said.push(problem.clone());
                lines.push(Line::Problem(problem.clone()));
            }
        }
        let newest = view.softphones.iter().find(|s| s.standing == Standing::Asking && !s.locked);
        let asked = std::mem::replace(&mut self.asks, newest.is_some());
        if let Some(softphone) = newest.filter(|_| !asked) {
            let message = Message::new("cli-run-softphone").text("softphone", softphone.client.name());
            lines.push(Line::Message(message));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::sample::problem;

    fn ids(lines: &[Line]) -> Vec<&str> {
        lines
            .iter()
            .map(|line| match line {
                Line::Message(message) => message.id,
                Line::Problem(problem) => problem.code.as_str(),
            })
            .collect()
    }

    fn with(codes: &[&str]) -> View {
        let problems = codes.iter().map(|code| problem(code)).collect();
        View { problems, ..View::default() }
    }

    #[test]
    fn what_is_missing_is_said_plainly() {
        let mut terminal = Terminal::default();
        let mut open = View::default();
        open.rest.url = Some("https://127.0.0.1:1".to_owned());
        assert_eq!(
            ids(&terminal.start(&open, true)),
            ["cli-run-rest", "cli-run-headless", "cli-no-headset", "cli-run-consumer"]
        );
        let mut terminal = Terminal::default();
        let mut view = with(&["rest-port-taken"]);
        view.tenant.mode = TenantMode::Locked;
        view.tenant.problem = Some(problem("tenant-incomplete"));
        let lines = terminal.start(&view, false);
        assert_eq!(
            ids(&lines),
            ["cli-run-no-rest", "cli-no-headset", "rest-port-taken", "tenant-incomplete", "cli-run-locked"]
        );
    }

    #[test]
    fn a_door_that_opens_later_is_told() {
        let mut terminal = Terminal::default();
        terminal.start(&with(&["rest-port-taken"]), false);
        let mut open = View::default();
        open.rest.url = Some("https://127.0.0.1:1".to_owned());
        assert_eq!(ids(&terminal.later(&open)), ["cli-run-rest"]);
        assert_eq!(ids(&terminal.later(&open)), [""; 0]);
    }

    #[test]
    fn a_tenant_that_does_not_answer_is_told() {
        let mut view = View::default();
        view.tenant.problem = Some(problem("tenant-unreachable"));
        let lines = Terminal::default().start(&view, false);
        assert!(ids(&lines).contains(&"tenant-unreachable"), "{lines:?}");
    }

    #[test]
    fn a_problem_is_said_once_and_again_after_it_was_gone() {
        let mut terminal = Terminal::default();
        terminal.start(&View::default(), false);
        let said = |terminal: &mut Terminal, codes: &[&str]| ids(&terminal.later(&with(codes))).len();
        assert_eq!(said(&mut terminal, &["tray-not-shown"]), 1);
        assert_eq!(said(&mut terminal, &["tray-not-shown"]), 0);
        assert_eq!(said(&mut terminal, &["tray-not-shown", "store-full"]), 1);
        assert_eq!(said(&mut terminal, &[]), 0);
        assert_eq!(said(&mut terminal, &["store-full"]), 1);
    }
}
