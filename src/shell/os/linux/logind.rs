//! What logind tells on the system bus (`org.freedesktop.login1`). A machine without it, or without the bus, works on:
//! the clocks tell of a sleep, too.

use futures_util::StreamExt as _;
use hub::machine::Seat;
use std::time::Duration;
use tokio::sync::OnceCell;
use zbus::zvariant::OwnedObjectPath;
use zbus::{Connection, MatchRule, MessageStream, message};

pub(super) const SERVICE: &str = "org.freedesktop.login1";
pub(super) const PATH: &str = "/org/freedesktop/login1";
pub(super) const MANAGER: &str = "org.freedesktop.login1.Manager";
/// The bus may have to start it first.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The one connection to the system bus; made when first asked for.
///
/// # Errors
/// There is no system bus.
pub(super) async fn system_bus() -> zbus::Result<Connection> {
    static BUS: OnceCell<Connection> = OnceCell::const_new();
    let connect = || async { zbus::connection::Builder::system()?.method_timeout(TIMEOUT).build().await };
    BUS.get_or_try_init(connect).await.cloned()
}

/// Calls `woke` each time the machine is awake again, until the bus ends.
///
/// # Errors
/// There is no system bus, or it does not pass the signal on.
pub(super) async fn watch_sleep(woke: impl FnMut()) -> zbus::Result<()> {
    watch_sleep_on(&system_bus().await?, woke).await
}

async fn watch_sleep_on(bus: &Connection, mut woke: impl FnMut()) -> zbus::Result<()> {
    let rule = MatchRule::builder()
        .msg_type(message::Type::Signal)
        .sender(SERVICE)?
        .path(PATH)?
        .interface(MANAGER)?
        .member("PrepareForSleep")?
        .build();
    let mut signals = MessageStream::for_match_rule(rule, bus, None).await?;
    while let Some(signal) = signals.next().await {
        // True comes before the sleep, false after it.
        if signal?.body().deserialize::<bool>() == Ok(false) {
            woke();
        }
    }
    Ok(())
}

/// The seat that every machine with a screen has.
const SEAT: &str = "/org/freedesktop/login1/seat/seat0";

/// Calls `told` with whose turn it is at the screen, now and after each change, until the bus ends.
///
/// # Errors
/// There is no system bus or no logind on it, or it does not tell.
pub(super) async fn watch_seat(told: impl Fn(Seat)) -> zbus::Result<()> {
    watch_seat_on(&system_bus().await?, told).await
}

async fn watch_seat_on(bus: &Connection, told: impl Fn(Seat)) -> zbus::Result<()> {
    let rule = MatchRule::builder()
        .msg_type(message::Type::Signal)
        .sender(SERVICE)?
        .path(SEAT)?
        .interface("org.freedesktop.DBus.Properties")?
        .member("PropertiesChanged")?
        .build();
    let mut signals = MessageStream::for_match_rule(rule, bus, None).await?;
    let mut last = None;
    loop {
        // What the signal says may be old when it is read.
        let seat = at_the_seat(bus).await?;
        if last.as_ref() != Some(&seat) {
            last = Some(seat.clone());
            told(seat);
        }
        match signals.next().await {
            Some(signal) => drop(signal?),
            None => return Ok(()),
        }
    }
}

async fn at_the_seat(bus: &Connection) -> zbus::Result<Seat> {
    let property = async |path: &str, interface: &str, name: &str| {
        let interface = format!("{SERVICE}.{interface}");
        let properties = Some("org.freedesktop.DBus.Properties");
        bus.call_method(Some(SERVICE), path, properties, "Get", &(interface, name)).await
    };
    let answer = property(SEAT, "Seat", "ActiveSession").await?;
    let (session, path) = value::<(String, OwnedObjectPath)>(&answer)?;
    if session.is_empty() {
        return Ok(Seat::Empty);
    }
    match property(path.as_str(), "Session", "User").await {
        Ok(answer) => {
            let (uid, _) = value::<(u32, OwnedObjectPath)>(&answer)?;
            Ok(Seat::Of { account: uid.to_string() })
        }
        // It ended meanwhile; the next one is told.
        Err(zbus::Error::MethodError(..)) => Ok(Seat::Empty),
        Err(error) => Err(error),
    }
}

fn value<T>(answer: &zbus::Message) -> zbus::Result<T>
where
    T: TryFrom<zbus::zvariant::OwnedValue>,
    zbus::Error: From<T::Error>,
{
    Ok(T::try_from(answer.body().deserialize::<zbus::zvariant::OwnedValue>()?)?)
}

#[cfg(test)]
mod tests {
    use super::super::private_bus::Bus;
    use super::*;
    use std::sync::mpsc::channel;

    /// What is asked of logind here.
    struct SeatOf(String, OwnedObjectPath);

    #[zbus::interface(name = "org.freedesktop.login1.Seat")]
    impl SeatOf {
        #[zbus(property)]
        fn active_session(&self) -> (String, OwnedObjectPath) {
            (self.0.clone(), self.1.clone())
        }
    }

    struct SessionOf(u32);

    #[zbus::interface(name = "org.freedesktop.login1.Session")]
    impl SessionOf {
        #[zbus(property)]
        fn user(&self) -> (u32, OwnedObjectPath) {
            (self.0, path("/org/freedesktop/login1/user"))
        }
    }

    fn path(text: &str) -> OwnedObjectPath {
        OwnedObjectPath::try_from(text).expect("a path")
    }

    #[tokio::test]
    async fn whose_turn_it_is_at_the_screen_is_told_and_each_change_once() {
        let bus = Bus::start();
        let of = |uid: u32| format!("/org/freedesktop/login1/session/_{uid}");
        let logind =
            bus.builder().name(SERVICE).and_then(|b| b.serve_at(SEAT, SeatOf(String::new(), path("/"))));
        let logind = logind.and_then(|b| b.serve_at(of(7), SessionOf(7))).expect("a session");
        let logind = logind.serve_at(of(8), SessionOf(8)).expect("a session").build().await.expect("logind");
        let ours = bus.builder().build().await.expect("a connection");
        let (told, seats) = channel();
        let shown = async {
            let seat = logind.object_server().interface::<_, SeatOf>(SEAT).await.expect("the seat");
            let show = async |name: &str, session: &str| {
                let mut now = seat.get_mut().await;
                *now = SeatOf(name.to_owned(), path(session));
                now.active_session_changed(seat.signal_emitter()).await.expect("said");
            };
            let next = async || loop {
                match seats.try_recv() {
                    Ok(seat) => return seat,
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            };
            let account = |uid: u32| Seat::Of { account: uid.to_string() };
            assert_eq!(next().await, Seat::Empty);
            show("c1", &of(7)).await;
            assert_eq!(next().await, account(7));
            show("c1", &of(7)).await;
            show("c2", &of(8)).await;
            assert_eq!(next().await, account(8), "what is the same is no news");
            // A session that is gone before it is asked about.
            show("c3", &of(9)).await;
            assert_eq!(next().await, Seat::Empty);
        };
        tokio::select! {
            ended = watch_seat_on(&ours, |seat| _ = told.send(seat)) => panic!("{ended:?}"),
            () = shown => {}
        }
    }

    #[tokio::test]
    async fn without_logind_nobody_tells() {
        let bus = Bus::start();
        let ours = bus.builder().build().await.expect("a connection");
        assert!(watch_seat_on(&ours, |seat| panic!("{seat:?}")).await.is_err());
    }

    async fn say(from: &Connection, begins: bool) {
        from.emit_signal(None::<&str>, PATH, MANAGER, "PrepareForSleep", &begins).await.expect("said");
    }

    #[tokio::test]
    async fn the_end_of_a_sleep_is_heard_from_logind_alone() {
        let bus = Bus::start();
        let connect = async || bus.builder().build().await.expect("a connection");
        let logind = bus.builder().name(SERVICE).expect("a name").build().await.expect("logind");
        let (ours, stranger) = (connect().await, connect().await);
        let (woke, wakes) = channel();
        let said = async {
            // Until the bus knows what we listen to.
            while wakes.try_recv().is_err() {
                say(&logind, false).await;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            while wakes.try_recv().is_ok() {}
            say(&logind, true).await;
            say(&stranger, false).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
            assert!(wakes.try_recv().is_err(), "a sleep that begins, or the word of anybody");
            say(&logind, false).await;
            while wakes.try_recv().is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::select! {
            ended = watch_sleep_on(&ours, || _ = woke.send(())) => panic!("{ended:?}"),
            () = said => {}
        }
    }
}
