//! What a system does not tell yet: see `Missing`.

use std::path::PathBuf;

/// Changes of files: see [`Missing::FileChanges`](super::Missing::FileChanges).
#[derive(Debug)]
pub struct FileChanges;

impl FileChanges {
    pub fn of(_paths: &[PathBuf]) -> Self {
        Self
    }

    pub fn tells(&self) -> bool {
        false
    }

    /// `None` = that is never told.
    pub async fn next(&mut self) -> Option<()> {
        None
    }
}
