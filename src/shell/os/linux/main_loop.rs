//! The loop of the thread that the program began with. Nothing of the desktop asks for it here: it only waits.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};

/// The way to it, from any thread.
#[derive(Debug)]
pub struct Post<M>(Sender<M>);

#[derive(Debug)]
pub struct MainLoop<M>(Receiver<M>);

/// Must be called on the thread that is to run it.
///
/// # Errors
/// None on this system.
pub fn main_loop<M: Send + 'static>() -> io::Result<(Post<M>, MainLoop<M>)> {
    let (post, posted) = channel();
    Ok((Post(post), MainLoop(posted)))
}

impl<M> Post<M> {
    /// Returns at once. What comes after the loop's end is dropped.
    pub fn post(&self, message: M) {
        let _ = self.0.send(message);
    }
}

impl<M: 'static> MainLoop<M> {
    /// Hands on what is posted, all that is there at a time, until nobody can post any more.
    pub fn run(self, mut take: impl FnMut(Vec<M>) + 'static) {
        while let Ok(first) = self.0.recv() {
            take(std::iter::once(first).chain(self.0.try_iter()).collect());
        }
    }
}
