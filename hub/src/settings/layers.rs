//! Which layer has the last word on a setting, and who decides on the tenant.

use super::file::{Content, SettingsFile, Unusable};
use super::value::Raw;
use super::{Key, Provenance, Settings, managed};
use crate::protocol::Problem;
use std::collections::BTreeMap;

/// What [`Settings::resolve`] looks at.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    pub user: SettingsFile,
    /// The whole environment; other variables are ignored.
    pub environment: BTreeMap<String, String>,
    pub machine: MachineFiles,
    /// The files of the computer where `machine` is another place (`--home`): they still decide on the tenant, and on
    /// nothing else.
    pub computer: Option<MachineFiles>,
}

/// The machine's settings at one place.
#[derive(Clone, Debug, Default)]
pub struct MachineFiles {
    /// `hookswitch.toml`, for every user to read.
    pub shared: SettingsFile,
    /// `tenant.toml`, for root's eyes: what must stay a secret.
    pub private: SettingsFile,
}

/// Who speaks, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    User,
    Environment,
    Machine,
    Computer,
}

impl Rank {
    fn provenance(self) -> Provenance {
        match self {
            Self::User => Provenance::User,
            Self::Environment => Provenance::Environment,
            Self::Machine | Self::Computer => Provenance::Machine,
        }
    }
}

/// One file, or the environment.
struct Layer {
    rank: Rank,
    path: String,
    values: Vec<(Key, String, Raw)>,
    /// Root may read it.
    is_withheld: bool,
    /// Why it cannot be read, or not wholly.
    fault: Option<Problem>,
}

impl Layer {
    /// A file that cannot be read may name a tenant, and so may a word that nobody knows: a mistake there must not open
    /// the door to another one.
    fn decides_on_tenant(&self) -> bool {
        self.fault.is_some() || self.values.iter().any(|(key, ..)| key.is_tenant())
    }
}

impl Settings {
    /// The settings in force and what was left out of the layers, each with its reason. Never fails: whatever is
    /// wrong keeps the value of the layer below, but for the tenant: there it is a [`Settings::tenant_fault`].
    pub fn resolve(layers: &Layers) -> (Self, Vec<Problem>) {
        let (mut settings, mut problems) = (Self::default(), Vec::new());
        let read = layers.read(&mut problems);
        let decides = deciding(&read);
        settings.tenant_locked = decides.is_some();
        let mut wrong: BTreeMap<Key, Problem> = BTreeMap::new();
        let withheld = read.iter().filter(|layer| layer.is_withheld);
        settings.withheld = withheld.filter_map(|layer| layer.fault.clone()).collect();
        for layer in &read {
            let overruled = decides.filter(|decides| layer.rank < decides.rank);
            if let Some(fault) = layer.fault.as_ref().filter(|_| overruled.is_none()) {
                settings.tenant_fault.get_or_insert_with(|| fault.clone());
            }
        }
        if let Some(decides) = decides {
            let by_tenancy = Key::ALL.into_iter().filter(|key| key.follows_tenancy());
            settings.places.extend(by_tenancy.map(|key| (key, decides.path.clone())));
        }
        for Layer { rank, path, values, .. } in &read {
            for (key, place, raw) in values {
                let overruled = decides.filter(|decides| key.follows_tenancy() && *rank < decides.rank);
                if let Some(decides) = overruled {
                    problems.push(managed(*key, place.clone(), &decides.path));
                } else if *rank == Rank::Computer && !key.follows_tenancy() {
                    // Two agents that must not meet do not share a port either.
                } else if let Err(kind) = settings.put(*key, raw.clone(), rank.provenance()) {
                    let problem = kind.problem(*key, place.clone());
                    problems.push(problem.clone());
                    wrong.insert(*key, problem);
                } else {
                    let set_by = if *rank == Rank::Environment { place } else { path };
                    settings.places.insert(*key, set_by.clone());
                    wrong.remove(key);
                }
            }
        }
        settings.wrong = wrong.keys().copied().collect();
        // A server, a token or a pin that was meant and is not there: nobody may take its place.
        let wrong = wrong.into_iter().find(|(key, _)| key.is_tenant()).map(|(_, problem)| problem);
        settings.tenant_fault = settings.tenant_fault.or(wrong);
        (settings, problems)
    }
}

impl Layers {
    /// The path of the file by which the machine decides on the tenant, if it does.
    pub(super) fn tenant_decided_by(&self) -> Option<String> {
        deciding(&self.read(&mut Vec::new())).map(|layer| layer.path.clone())
    }

    /// Whether the machine sets this setting, and where.
    pub(super) fn set_by_machine(&self, name: &str) -> Option<String> {
        let set = |layer: &&Layer| {
            layer.rank == Rank::Machine && layer.values.iter().any(|(key, ..)| key.name() == name)
        };
        self.read(&mut Vec::new()).iter().find(set).map(|layer| layer.path.clone())
    }

    /// The weakest first.
    fn read(&self, problems: &mut Vec<Problem>) -> Vec<Layer> {
        let machine = |rank, files: &MachineFiles, problems: &mut Vec<Problem>| {
            let layers = [&files.shared, &files.private].map(|file| {
                let layer = of_file(rank, file, problems);
                if file.exposed && layer.values.iter().any(|(key, ..)| *key == Key::TenantToken) {
                    problems.push(file.exposes_token(&files.private.path));
                }
                layer
            });
            Vec::from(layers)
        };
        // What is wrong with the machine's files is said first: it explains the rest.
        let mut strong = machine(Rank::Machine, &self.machine, problems);
        if let Some(files) = &self.computer {
            strong.extend(machine(Rank::Computer, files, problems));
        }
        let mut read = vec![of_file(Rank::User, &self.user, problems), of_environment(&self.environment)];
        read.append(&mut strong);
        read
    }
}

/// The strongest of the machine's layers that decides on the tenant.
fn deciding(read: &[Layer]) -> Option<&Layer> {
    let decide = read.iter().filter(|layer| layer.rank >= Rank::Machine && layer.decides_on_tenant());
    // The first file of a place is the one whose words a person may read.
    decide.rev().max_by_key(|layer| layer.rank)
}

fn of_file(rank: Rank, file: &SettingsFile, problems: &mut Vec<Problem>) -> Layer {
    let is_withheld = matches!(file.content, Content::Unusable(Unusable::Withheld));
    let (values, fault) = match file.document(problems) {
        Ok(document) => {
            let (values, unknowns) = document.into_values(&file.path);
            let fault = unknowns.first().filter(|_| rank >= Rank::Machine).cloned();
            problems.extend(unknowns);
            (values, fault)
        }
        Err(fault) => {
            problems.push(fault.clone());
            (Vec::new(), Some(fault))
        }
    };
    Layer { rank, path: file.path.clone(), values, is_withheld, fault }
}

fn of_environment(environment: &BTreeMap<String, String>) -> Layer {
    let value = |key: Key| {
        let name = key.variables().find(|name| environment.get(name).is_some_and(|v| !v.is_empty()))?;
        let text = environment.get(&name)?.clone();
        // What stands for bytes that are no text.
        let raw = if text.contains(char::REPLACEMENT_CHARACTER) { Raw::Unfit } else { Raw::Text(text) };
        Some((key, name, raw))
    };
    let values = Key::ALL.into_iter().filter_map(value).collect();
    Layer { rank: Rank::Environment, path: String::new(), values, is_withheld: false, fault: None }
}
