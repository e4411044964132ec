//! How updates ended, on the page of the updates.

use super::{Moment, versions};
use hub::locale::Locale;
use hub::protocol::{Outcome, PastUpdate};
use hub::user::words;

pub(super) struct PastRow {
    pub(super) ended: Moment,
    pub(super) product: String,
    pub(super) versions: String,
    pub(super) verdict: String,
    pub(super) good: bool,
    /// What went wrong. What was to be done about it then is no advice any more.
    pub(super) what: Option<String>,
}

impl PastRow {
    pub(super) fn new(past: &PastUpdate, locale: &Locale) -> Self {
        let problem = match &past.outcome {
            Outcome::Succeeded { .. } => None,
            Outcome::Failed { problem } | Outcome::Unknown { problem } => Some(problem),
        };
        Self {
            ended: Moment::new(past.ended_s),
            product: past.product.clone(),
            versions: versions(&past.from_version, &past.to_version, locale),
            verdict: locale.format_isolated(&words::verdict(&past.outcome)),
            good: problem.is_none(),
            what: problem.map(|problem| locale.problem_isolated(problem).what),
        }
    }
}
