//! How much one host, and one address, may ask for: none of them can use up what the others need.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Buckets kept; when there are more, those that are full again go.
const MOST_BUCKETS: usize = 20_000;

/// So many at once, and then so many a second.
#[derive(Debug, Clone, Copy)]
struct Rate {
    most: f64,
    a_second: f64,
}

/// Requests of one host. An agent that was away for long needs some dozens.
const REQUESTS: Rate = Rate { most: 300.0, a_second: 5.0 };
/// Events of one host: what an agent keeps while the tenant is away, and then a few a minute.
const EVENTS: Rate = Rate { most: 10_000.0, a_second: 1.0 };
/// Bytes in events of one host, unpacked: some times what so many events have.
const BYTES: Rate = Rate { most: 16.0 * 1024.0 * 1024.0, a_second: 4.0 * 1024.0 };
/// Hosts that are new, from one address.
const NEW_HOSTS: f64 = 60.0;

/// What was used up.
pub(super) struct Quotas {
    new_hosts: Rate,
    requests: Buckets<String>,
    events: Buckets<String>,
    bytes: Buckets<String>,
    hosts: Buckets<IpAddr>,
}

impl Quotas {
    /// `new_hosts`: a minute from one address, after the first [`NEW_HOSTS`].
    pub(super) fn new(new_hosts: u32) -> Self {
        let new_hosts = Rate { most: NEW_HOSTS, a_second: f64::from(new_hosts) / 60.0 };
        Self {
            new_hosts,
            requests: Buckets::default(),
            events: Buckets::default(),
            bytes: Buckets::default(),
            hosts: Buckets::default(),
        }
    }

    /// How long a host has to wait with its next request; `None` = this one may pass.
    pub(super) fn request(&self, system_id: &str) -> Option<Duration> {
        self.requests.take(system_id.to_owned(), 1.0, REQUESTS)
    }

    pub(super) fn events(&self, system_id: &str, count: usize) -> Option<Duration> {
        // At most MAX_EVENTS.
        self.events.take(system_id.to_owned(), f64::from(u32::try_from(count).unwrap_or(u32::MAX)), EVENTS)
    }

    pub(super) fn bytes(&self, system_id: &str, count: usize) -> Option<Duration> {
        // At most MAX_BODY_BYTES.
        self.bytes.take(system_id.to_owned(), f64::from(u32::try_from(count).unwrap_or(u32::MAX)), BYTES)
    }

    pub(super) fn new_host(&self, peer: IpAddr) -> Option<Duration> {
        self.hosts.take(peer, 1.0, self.new_hosts)
    }
}

struct Buckets<K> {
    /// What is left, and since when.
    left: Mutex<HashMap<K, (f64, Instant)>>,
}

impl<K> Default for Buckets<K> {
    fn default() -> Self {
        Self { left: Mutex::default() }
    }
}

impl<K: Hash + Eq> Buckets<K> {
    fn take(&self, key: K, wanted: f64, rate: Rate) -> Option<Duration> {
        let now = Instant::now();
        let filled = |(left, since): (f64, Instant)| {
            (left + (now - since).as_secs_f64() * rate.a_second).min(rate.most)
        };
        let mut buckets = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST_BUCKETS {
            buckets.retain(|_, bucket| filled(*bucket) < rate.most);
        }
        let left = buckets.get(&key).map_or(rate.most, |bucket| filled(*bucket));
        if left >= wanted {
            buckets.insert(key, (left - wanted, now));
            return None;
        }
        buckets.insert(key, (left, now));
        let wait = if rate.a_second > 0.0 { (wanted - left) / rate.a_second } else { f64::MAX };
        Some(Duration::from_secs_f64(wait.clamp(1.0, 3_600.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_bucket_empties_and_fills_for_its_own_key() {
        let buckets = Buckets::default();
        let rate = Rate { most: 3.0, a_second: 0.5 };
        for _ in 0..3 {
            assert_eq!(buckets.take("a", 1.0, rate), None);
        }
        assert_eq!(buckets.take("a", 1.0, rate), Some(Duration::from_secs(2)));
        assert_eq!(buckets.take("b", 1.0, rate), None, "another's");
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(buckets.take("a", 1.0, rate), None);
        assert!(buckets.take("a", 1.0, rate).is_some());
        tokio::time::advance(Duration::from_secs(3_600)).await;
        assert_eq!(buckets.take("a", 3.0, rate), None, "no more than the most");
        assert!(buckets.take("a", 1.0, rate).is_some());
    }
}
