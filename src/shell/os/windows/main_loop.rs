//! The loop of the thread that the program began with: Windows hands clicks on an icon to the thread that made it, while
//! that asks for its messages. What is posted wakes it by a message to a window that nobody sees: one to the thread
//! alone would be lost while a menu is open.

use super::{checked, wide};
use std::cell::RefCell;
use std::io;
use std::ptr::{null, null_mut};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use windows_sys::Win32::Foundation::{HWND, LPARAM, LRESULT, WPARAM};
use windows_sys::Win32::System::LibraryLoader::GetModuleHandleW;
use windows_sys::Win32::UI::WindowsAndMessaging::{
    CreateWindowExW, DefWindowProcW, DestroyWindow, DispatchMessageW, GetMessageW, HWND_MESSAGE, MSG,
    PostMessageW, PostQuitMessage, RegisterClassW, TranslateMessage, WM_APP, WNDCLASSW,
};

/// There is something in the queue, or nobody to put something there.
const POSTED: u32 = WM_APP;
const CLASS: &str = "HookswitchMainLoop";

thread_local! {
    /// Takes what is in the queue of this thread's loop.
    static TAKE: RefCell<Option<Box<dyn FnMut()>>> = const { RefCell::new(None) };
}

/// The way to it, from any thread.
#[derive(Debug)]
pub struct Post<M> {
    /// `None` only while it is dropped.
    queue: Option<Sender<M>>,
    /// The window's handle, which is good in every thread.
    window: usize,
}

#[derive(Debug)]
pub struct MainLoop<M> {
    queue: Receiver<M>,
    window: Window,
}

#[derive(Debug)]
struct Window(HWND);

impl Drop for Window {
    fn drop(&mut self) {
        // SAFETY: it was made on this thread, and is destroyed once.
        unsafe { DestroyWindow(self.0) };
    }
}

/// Must be called on the thread that is to run it.
///
/// # Errors
/// The system makes no window.
pub fn main_loop<M: Send + 'static>() -> io::Result<(Post<M>, MainLoop<M>)> {
    let class = wide(CLASS);
    // SAFETY: the name of this program itself.
    let program = unsafe { GetModuleHandleW(null()) };
    let described = WNDCLASSW {
        lpfnWndProc: Some(told),
        hInstance: program,
        lpszClassName: class.as_ptr(),
        // SAFETY: numbers and pointers, all of which may be null.
        ..unsafe { std::mem::zeroed() }
    };
    // SAFETY: the description and its name live until the call returns. One that is there already is this one.
    unsafe { RegisterClassW(&raw const described) };
    // SAFETY: the class is registered, and its name lives until the call returns.
    let window = unsafe {
        let (name, menu) = (null(), null_mut());
        CreateWindowExW(0, class.as_ptr(), name, 0, 0, 0, 0, 0, HWND_MESSAGE, menu, program, null())
    };
    checked(i32::from(!window.is_null()))?;
    let (queue, posted) = channel();
    let post = Post { queue: Some(queue), window: window as usize };
    Ok((post, MainLoop { queue: posted, window: Window(window) }))
}

impl<M> Post<M> {
    /// Returns at once. What comes after the loop's end is dropped.
    pub fn post(&self, message: M) {
        if let Some(queue) = &self.queue
            && queue.send(message).is_ok()
        {
            self.wake();
        }
    }

    fn wake(&self) {
        // SAFETY: a window that is gone is refused.
        unsafe { PostMessageW(self.window as HWND, POSTED, 0, 0) };
    }
}

impl<M> Drop for Post<M> {
    fn drop(&mut self) {
        self.queue = None;
        self.wake();
    }
}

impl<M: 'static> MainLoop<M> {
    /// Hands on what is posted, all that is there at a time, until nobody can post any more.
    pub fn run(self, mut take: impl FnMut(Vec<M>) + 'static) {
        let Self { queue, window } = self;
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
                    // SAFETY: it ends the loop of this thread.
                    (true, TryRecvError::Disconnected) => return unsafe { PostQuitMessage(0) },
                }
            }
        };
        TAKE.set(Some(Box::new(drain)));
        // What came before there was a loop.
        // SAFETY: the window is there until the end of this function.
        unsafe { PostMessageW(window.0, POSTED, 0, 0) };
        // SAFETY: numbers and pointers, all of which may be null.
        let mut message: MSG = unsafe { std::mem::zeroed() };
        // SAFETY: there is room for one message. 0 is the end, less than 0 an error that stays.
        while unsafe { GetMessageW(&raw mut message, null_mut(), 0, 0) } > 0 {
            // SAFETY: the message came from the system just now.
            unsafe {
                TranslateMessage(&raw const message);
                DispatchMessageW(&raw const message);
            }
        }
        TAKE.set(None);
    }
}

/// Called by the system on the loop's thread, also while a menu is open.
unsafe extern "system" fn told(window: HWND, message: u32, w: WPARAM, l: LPARAM) -> LRESULT {
    if message != POSTED {
        // SAFETY: what the system asked this window is handed on as it is.
        return unsafe { DefWindowProcW(window, message, w, l) };
    }
    TAKE.with(|take| {
        // Who is at it already looks once more before it ends.
        if let Ok(mut take) = take.try_borrow_mut()
            && let Some(take) = take.as_mut()
        {
            take();
        }
    });
    0
}
