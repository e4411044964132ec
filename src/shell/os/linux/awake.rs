//! logind's inhibitor lock (`org.freedesktop.login1.Manager.Inhibit`): while it is held, the machine neither sleeps nor
//! shuts down. A machine without logind, or without a system bus, works on without.

use super::logind::{MANAGER, PATH, SERVICE};
use std::time::Duration;
use zbus::connection::Builder;
use zbus::zvariant::OwnedFd;

const WHAT: &str = "sleep:shutdown";
/// What waits for the lock waits for so long at most.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Held until it is dropped: logind sees the file close, also when the process is killed.
#[derive(Debug)]
pub struct AwakeLock {
    _file: OwnedFd,
}

/// `why` is shown to who wants to put the machine to sleep.
///
/// # Errors
/// There is no system bus, no logind, or it does not allow it; in words for the log.
pub async fn keep_awake(why: &str) -> Result<AwakeLock, String> {
    let bus = Builder::system().map_err(|error| error.to_string())?;
    hold(bus, why).await
}

async fn hold(bus: Builder<'_>, why: &str) -> Result<AwakeLock, String> {
    let asked = async {
        let bus = bus.method_timeout(TIMEOUT).build().await?;
        let mut last = Err(zbus::Error::InvalidReply);
        // Who may not forbid it may at least put it off for some seconds.
        for mode in ["block", "delay"] {
            let request = (WHAT, "Hookswitch", why, mode);
            last = bus.call_method(Some(SERVICE), PATH, Some(MANAGER), "Inhibit", &request).await;
            if last.is_ok() {
                break;
            }
        }
        last?.body().deserialize::<OwnedFd>()
    };
    match tokio::time::timeout(TIMEOUT, asked).await {
        Ok(Ok(file)) => Ok(AwakeLock { _file: file }),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no answer in time".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::private_bus::Bus;
    use super::*;
    use std::io::Read as _;
    use std::sync::mpsc::{Sender, channel};

    type Asked = [String; 4];

    /// As much of logind as is asked here: it hands out one end of a pipe.
    struct Logind {
        asked: Sender<(Asked, std::io::PipeReader)>,
        blocks: bool,
    }

    #[zbus::interface(name = "org.freedesktop.login1.Manager")]
    impl Logind {
        fn inhibit(
            &self,
            what: String,
            who: String,
            why: String,
            mode: String,
        ) -> zbus::fdo::Result<OwnedFd> {
            if mode == "block" && !self.blocks {
                return Err(zbus::fdo::Error::AccessDenied("no".to_owned()));
            }
            let (held, lock) = std::io::pipe().expect("a pipe");
            let _ = self.asked.send(([what, who, why, mode], held));
            Ok(std::os::fd::OwnedFd::from(lock).into())
        }
    }

    async fn ask(blocks: bool) -> (Asked, std::io::PipeReader, AwakeLock) {
        let (bus, (asked, questions)) = (Bus::start(), channel());
        let logind = bus.builder().name(SERVICE).and_then(|b| b.serve_at(PATH, Logind { asked, blocks }));
        let _logind = logind.expect("a service").build().await.expect("on the bus");
        let lock = hold(bus.builder(), "a headset is updated").await.expect("the lock");
        let (asked, held) = questions.recv().expect("asked");
        (asked, held, lock)
    }

    #[tokio::test]
    async fn the_lock_is_held_until_it_is_let_go() {
        for (blocks, mode) in [(true, "block"), (false, "delay")] {
            let (asked, mut held, lock) = ask(blocks).await;
            assert_eq!(asked, ["sleep:shutdown", "Hookswitch", "a headset is updated", mode]);
            let reader = std::thread::spawn(move || held.read(&mut [0]));
            std::thread::sleep(Duration::from_millis(50));
            assert!(!reader.is_finished(), "it is held, also after the bus is gone");
            drop(lock);
            assert_eq!(reader.join().expect("no panic").expect("readable"), 0, "logind sees it go");
        }
    }

    #[tokio::test]
    async fn without_logind_or_a_bus_there_is_no_lock_and_no_wait() {
        let bus = Bus::start();
        assert!(hold(bus.builder(), "w").await.is_err(), "nobody has the name");
        let nowhere = Builder::address("unix:path=/nonexistent/bus").expect("an address");
        assert!(hold(nowhere, "w").await.is_err());
    }
}
