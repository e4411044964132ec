//! The loop of the thread that the program began with: AppKit has icons on no other, and it asks for the whole loop. What
//! is posted wakes it as a source of the run loop, also while a menu is open.

use objc2::MainThreadMarker;
use objc2_app_kit::{
    NSApplication, NSApplicationActivationPolicy, NSEvent, NSEventModifierFlags, NSEventType,
};
use objc2_core_foundation::{
    CFRetained, CFRunLoop, CFRunLoopSource, CFRunLoopSourceContext, kCFRunLoopCommonModes,
};
use objc2_foundation::NSPoint;
use std::cell::RefCell;
use std::ffi::c_void;
use std::io;
use std::ptr::null_mut;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};

thread_local! {
    /// Takes what is in the queue of the loop.
    static TAKE: RefCell<Option<Box<dyn FnMut()>>> = const { RefCell::new(None) };
}

/// Wakes the loop, from any thread.
#[derive(Debug)]
struct Bell {
    source: CFRetained<CFRunLoopSource>,
    of: CFRetained<CFRunLoop>,
}

// SAFETY: `CFRunLoopSourceSignal` and `CFRunLoopWakeUp`, and nothing else here, may be called from every thread.
unsafe impl Send for Bell {}

impl Bell {
    fn ring(&self) {
        self.source.signal();
        self.of.wake_up();
    }
}

/// The way to the loop, from any thread.
#[derive(Debug)]
pub struct Post<M> {
    /// `None` only while it is dropped.
    queue: Option<Sender<M>>,
    bell: Bell,
}

#[derive(Debug)]
pub struct MainLoop<M> {
    queue: Receiver<M>,
    source: CFRetained<CFRunLoopSource>,
    here: MainThreadMarker,
}

/// Must be called on the thread that is to run it: the one that the program began with.
///
/// # Errors
/// It is another thread, or the system has no loop for it.
pub fn main_loop<M: Send + 'static>() -> io::Result<(Post<M>, MainLoop<M>)> {
    let here = MainThreadMarker::new().ok_or_else(|| io::Error::other("this is not the main thread"))?;
    let mut context = CFRunLoopSourceContext {
        version: 0,
        info: null_mut(),
        retain: None,
        release: None,
        copyDescription: None,
        equal: None,
        hash: None,
        schedule: None,
        cancel: None,
        perform: Some(told),
    };
    // SAFETY: the context lives until the call returns, which copies it, and points to nothing but a function.
    let source = unsafe { CFRunLoopSource::new(None, 0, &raw mut context) };
    let (Some(source), Some(of)) = (source, CFRunLoop::main()) else {
        return Err(io::Error::other("there is no run loop"));
    };
    let (queue, posted) = channel();
    let bell = Bell { source: source.clone(), of };
    Ok((Post { queue: Some(queue), bell }, MainLoop { queue: posted, source, here }))
}

impl<M> Post<M> {
    /// Returns at once. What comes after the loop's end is dropped.
    pub fn post(&self, message: M) {
        if let Some(queue) = &self.queue
            && queue.send(message).is_ok()
        {
            self.bell.ring();
        }
    }
}

impl<M> Drop for Post<M> {
    fn drop(&mut self) {
        self.queue = None;
        self.bell.ring();
    }
}

impl<M: 'static> MainLoop<M> {
    /// Hands on what is posted, all that is there at a time, until nobody can post any more.
    pub fn run(self, mut take: impl FnMut(Vec<M>) + 'static) {
        let Self { queue, source, here } = self;
        let app = NSApplication::sharedApplication(here);
        // No place in the Dock, and no menu of its own.
        app.setActivationPolicy(NSApplicationActivationPolicy::Accessory);
        let drain = move || {
            loop {
                let mut all = Vec::new();
                let end = loop {
                    match queue.try_recv() {
                        Ok(message) => all.push(message),
                        Err(end) => break end,
                    }
                };
                match (all.is_empty(), end) {
                    (false, _) => take(all),
                    (true, TryRecvError::Empty) => return,
                    (true, TryRecvError::Disconnected) => return end_of(here),
                }
            }
        };
        TAKE.set(Some(Box::new(drain)));
        if let Some(of) = CFRunLoop::current() {
            // SAFETY: a constant of the system.
            of.add_source(Some(&source), unsafe { kCFRunLoopCommonModes });
        }
        // What came before there was a loop.
        source.signal();
        app.run();
        source.invalidate();
        TAKE.set(None);
    }
}

/// An application that is told to stop does so after its next event.
fn end_of(here: MainThreadMarker) {
    let app = NSApplication::sharedApplication(here);
    app.stop(None);
    let kind = NSEventType::ApplicationDefined;
    let (nowhere, none) = (NSPoint::new(0.0, 0.0), NSEventModifierFlags::empty());
    let event =
        NSEvent::otherEventWithType_location_modifierFlags_timestamp_windowNumber_context_subtype_data1_data2(
            kind, nowhere, none, 0.0, 0, None, 0, 0, 0,
        );
    if let Some(event) = event {
        app.postEvent_atStart(&event, true);
    }
}

/// Called by the system on the loop's thread, also while a menu is open.
unsafe extern "C-unwind" fn told(_: *mut c_void) {
    TAKE.with(|take| {
        // Who is at it already looks once more before it ends.
        if let Ok(mut take) = take.try_borrow_mut()
            && let Some(take) = take.as_mut()
        {
            take();
        }
    });
}
