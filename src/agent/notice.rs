//! Short notices for the person; never in a call.

use crate::locale::Message;

#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    pub title: Message,
    pub body: Message,
}
