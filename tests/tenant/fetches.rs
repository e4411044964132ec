//! Packages on their way: beside everything else, cut short and gone on with, and what stays on the disk.

use super::rig::{self, Tenant, enrol, files, keeping, published_file, target};
use dfu::ranges::Ranges as _;
use hookswitch::shell::errands::SharedRoom;
use hookswitch::shell::event::Event;
use hookswitch::shell::fetch::Fetches;
use hookswitch::shell::store::packages::{OpenPackage, Packages};
use hub::machine::{Fingerprint, Input, JobId, Sha256, Source, TenantAnswer, TenantRequest};
use hub::protocol::Problem;
use std::collections::BTreeSet;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

const FIRMWARE_BYTES: u64 = 3_000_000;

fn kept(tenant: &Tenant) -> Packages {
    Packages::new(tenant.packages())
}

/// The digest in the published file's name.
fn fingerprint(tenant: &Tenant) -> Fingerprint {
    let published = published_file(tenant, "fw.zip");
    let name = published.file_name().unwrap().to_str().unwrap();
    let sha256 = name.split('.').next().unwrap().parse().unwrap();
    Fingerprint { length: FIRMWARE_BYTES, sha256 }
}

/// Bytes that came, until so many did; the last word of a fetch ends it, too.
async fn until(events: &mut UnboundedReceiver<Event>, bytes: u64) -> (JobId, u64) {
    let mut first = None;
    loop {
        match events.recv().await.unwrap() {
            Event::Machine(Input::FetchProgress { job, done_bytes, .. }) => {
                let first = *first.get_or_insert(done_bytes);
                if done_bytes >= bytes {
                    return (job, first);
                }
            }
            Event::Fetched { job, result } => {
                return (job, result.map_or(0, |package| package.archive.get().fingerprint.length));
            }
            other => panic!("{other:?}"),
        }
    }
}

fn from_tenant() -> Source {
    Source::Tenant { target: "fw.zip".to_owned() }
}

#[tokio::test]
async fn a_transfer_is_beside_everything_else_and_ends_when_it_is_cancelled() {
    let tenant = Tenant::new(&[]);
    let (_server, url) = tenant.serve(&[]);
    let token = enrol(&mut tenant.room(&url)).await.unwrap().credential.access_token;
    let (slow_url, throttle) = rig::throttled(&url, 1_500_000);
    let mut slow = tenant.room(&slow_url);
    slow.use_token(&token);
    let room = SharedRoom::new(Some(slow).into());
    let (to, mut events) = unbounded_channel();
    let mut fetches = Fetches::new(kept(&tenant), room.clone(), to.clone());
    let local = tokio::task::LocalSet::new();
    let part = tenant.packages().join(format!("{}.part", fingerprint(&tenant).sha256));
    let came = local
        .run_until(async {
            fetches.start(JobId(1), from_tenant(), BTreeSet::new());
            assert_eq!(until(&mut events, 500_000).await.0, JobId(1));
            // It stands still by now or soon; the tenant is asked all the same.
            let policy = room
                .lock()
                .await
                .as_mut()
                .expect("a tenant")
                .perform(TenantRequest::FetchPolicy { have: None })
                .await;
            assert!(matches!(policy, TenantAnswer::Policy(Ok(Some(_)))), "{policy:?}");
            fetches.cancel(JobId(1));
            // That connection is ended; the other is kept for the next errand.
            throttle.until_open(1).await;
            std::fs::metadata(&part).unwrap().len()
        })
        .await;
    assert!((500_000..1_500_000).contains(&came), "{came} bytes came before");
    while let Ok(event) = events.try_recv() {
        assert!(!format!("{event:?}").contains("Fetched"), "nobody waits for it: {event:?}");
    }
    // Another job, with a better line: from where the first one ended.
    let mut room = tenant.room(&url);
    room.use_token(&token);
    let mut fetches = Fetches::new(kept(&tenant), SharedRoom::new(Some(room).into()), to);
    local
        .run_until(async {
            fetches.start(JobId(2), from_tenant(), BTreeSet::new());
            assert_eq!(until(&mut events, FIRMWARE_BYTES).await, (JobId(2), came));
            assert_eq!(until(&mut events, u64::MAX).await, (JobId(2), FIRMWARE_BYTES));
            // Without a tenant there is what was kept, and nothing else.
            let nobody = Sha256([7; 32]);
            for (wanted, found) in
                [(fingerprint(&tenant), FIRMWARE_BYTES), (Fingerprint { length: 5, sha256: nobody }, 0)]
            {
                fetches.start(JobId(3), Source::Kept(wanted), BTreeSet::new());
                assert_eq!(until(&mut events, u64::MAX).await, (JobId(3), found));
            }
        })
        .await;
}

/// The beginning of another file than the server has now: all of that one comes, not a rest that does not fit.
#[tokio::test]
async fn the_beginning_of_another_file_is_not_gone_on_with() {
    let tenant = Tenant::new(&[]);
    let (_server, url) = tenant.serve(&[]);
    let mut room = tenant.room(&url);
    enrol(&mut room).await.unwrap();
    let firmware = std::fs::read(tenant.dir().join("fw.zip")).unwrap();
    let part = tenant.packages().join(format!("{}.part", fingerprint(&tenant).sha256));
    let tag = part.with_extension("etag");
    let good = format!("\"{}\"", fingerprint(&tenant).sha256);
    for (kept, goes_on) in [(Some("\"other\"".to_owned()), false), (Some(good), true), (None, true)] {
        std::fs::write(&part, &firmware[..2_000_000]).unwrap();
        if let Some(kept) = &kept {
            std::fs::write(&tag, kept).unwrap();
        }
        let (package, steps) = target(&mut room, "fw.zip").await.unwrap();
        assert_eq!(package.get(), &firmware);
        assert_eq!(steps[0].0 == 2_000_000, goes_on, "{kept:?}: {:?}", steps[0]);
        let left = files(&tenant.packages());
        assert_eq!(left.len(), 1, "{left:?}");
        std::fs::remove_file(&left[0]).unwrap();
    }
}

/// Between the check of a package and its last block somebody may put another one in its place.
#[tokio::test]
async fn a_package_that_is_open_stays_what_was_checked() {
    let tenant = Tenant::new(&[]);
    let (_server, url) = tenant.serve(&[]);
    let mut room = tenant.room(&url);
    enrol(&mut room).await.unwrap();
    let firmware = std::fs::read(tenant.dir().join("fw.zip")).unwrap();
    let open = room.listed("fw.zip").await.unwrap().fetch(&BTreeSet::new(), |_, _| {}).await.unwrap().file;
    let [kept] = files(&tenant.packages()).try_into().unwrap();
    let planted = tenant.dir().join("planted.zip");
    std::fs::write(&planted, vec![0xee; firmware.len()]).unwrap();
    std::fs::rename(&planted, &kept).unwrap();
    let mut bytes = vec![0; firmware.len()];
    open.read_at(0, &mut bytes).unwrap();
    assert!(bytes == firmware, "the file that was put in its place is read");
    // Neither is that one taken for the package by the next job, nor what a link leads to.
    assert!(kept_package(&tenant).is_err());
    std::fs::remove_file(&kept).unwrap();
    let elsewhere = tenant.dir().join("fw.zip");
    std::os::unix::fs::symlink(&elsewhere, &kept).unwrap();
    assert!(kept_package(&tenant).is_err());
    std::fs::remove_file(&kept).unwrap();
    std::fs::copy(&elsewhere, &kept).unwrap();
    assert_eq!(kept_package(&tenant).unwrap().file.len(), FIRMWARE_BYTES);
}

fn kept_package(tenant: &Tenant) -> Result<OpenPackage, Problem> {
    kept(tenant).recall(fingerprint(tenant)).map_err(|failure| failure.problem)
}

/// What a headset without firmware waits for does not make room for what somebody else gets.
#[tokio::test]
async fn the_way_out_of_an_interrupted_update_is_not_thrown_away() {
    let tenant = Tenant::new(&[]);
    let (_server, url) = tenant.serve(&[]);
    let mut room = tenant.room(&url);
    enrol(&mut room).await.unwrap();
    let (needed, other) = (Sha256([1; 32]), Sha256([2; 32]));
    for sha256 in [needed, other] {
        let file = std::fs::File::create(tenant.packages().join(format!("{sha256}.zip"))).unwrap();
        file.set_len(300 << 20).unwrap();
        file.set_modified(std::time::UNIX_EPOCH).unwrap();
    }
    keeping(&mut room, "fw.zip", &BTreeSet::from([needed])).await.unwrap();
    let mut left: Vec<String> = files(&tenant.packages())
        .iter()
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    left.sort();
    let mut expected = vec![needed.to_string(), fingerprint(&tenant).sha256.to_string()];
    expected.sort();
    assert_eq!(left, expected);
}
