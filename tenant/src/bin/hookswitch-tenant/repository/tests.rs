//! What time does to a repository. The process-level tests are in `tests/server`.

use std::time::Duration;

use super::*;

fn day(now: SystemTime, days: u64) -> SystemTime {
    now + Duration::from_secs(days * 24 * 60 * 60)
}

async fn tenant() -> (tempfile::TempDir, Home, SystemTime) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let home = Home::create(&dir.path().join("tenant")).expect("a new folder");
    let now = crate::now();
    create(&home, &PolicyDocument::empty("Contoso"), now).await.expect("a repository");
    (dir, home, now)
}

#[tokio::test]
async fn a_young_publication_is_left_alone_and_an_old_one_renewed() {
    let (_dir, home, now) = tenant().await;
    assert!(
        !renew(&home, day(now, 2)).await.expect("renew"),
        "two days old: more than half of its life is left"
    );
    let before = describe(&load(&home).await.expect("loads"));
    assert!(renew(&home, day(now, 5)).await.expect("renew"));
    let after = describe(&load(&home).await.expect("loads"));
    assert_eq!((after.timestamp, after.snapshot), (before.timestamp + 1, before.snapshot + 1));
    assert_eq!(after.expires_s - before.expires_s, 5 * 24 * 60 * 60);
    assert_eq!(after.files, before.files);
}

#[tokio::test]
async fn renewal_never_outlives_what_a_person_published() {
    let (_dir, home, now) = tenant().await;
    let end = load(&home).await.expect("loads").targets().signed.expires;
    assert!(renew(&home, day(now, 88)).await.expect("renew"));
    let repository = load(&home).await.expect("loads");
    assert_eq!(repository.timestamp().signed.expires, end);
    assert_eq!(repository.targets().signed.expires, end);
    assert!(!renew(&home, day(now, 89)).await.expect("renew"), "nothing to gain");
    let order = Order { expires_days: Some(0), ..Order::default() };
    publish(&home, &order, now).await.expect("publishes");
    assert!(!renew(&home, day(now, 1)).await.expect("renew"), "ended on purpose");
}

#[tokio::test]
async fn publishing_late_in_its_life_renews_the_root_in_a_chain_from_the_first() {
    let (_dir, home, now) = tenant().await;
    assert_eq!(publish(&home, &Order::default(), day(now, 100)).await.expect("publishes").root, 1);
    let published = publish(&home, &Order::default(), day(now, 300)).await.expect("publishes");
    assert_eq!((published.root, published.timestamp), (2, 3));
    // `load` starts from the first root, like an agent that has it pinned.
    let repository = load(&home).await.expect("the chain holds");
    assert_eq!(repository.root().signed.version.get(), 2);
}
