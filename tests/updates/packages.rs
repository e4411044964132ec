//! Packages that must not reach a device.

use crate::rig::company::{self, NEW, PACKAGE};
use crate::rig::told::{Context, Told, wait_for};
use crate::rig::world::{PATIENCE, World};
use crate::scene::{IMAGE_BYTES, Scene, good_package};
use dfu::image::{Image, Suffix};
use std::io::Write as _;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use tough::editor::RepositoryEditor;
use tough::key_source::{KeySource, LocalKeySource};
use tough::{FilesystemTransport, RepositoryLoader};
use zip::write::SimpleFileOptions;

/// Entries of any name and content, which `hookswitch firmware pack` would not write.
fn archive(world: &World, entries: &[(&str, &[u8])]) -> Told<PathBuf> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        writer.start_file(*name, SimpleFileOptions::default()).at(name)?;
        writer.write_all(bytes).at(name)?;
    }
    write(world, &writer.finish().at("zip")?.into_inner())
}

fn write(world: &World, archive: &[u8]) -> Told<PathBuf> {
    let path = world.path(PACKAGE);
    std::fs::write(&path, archive).at(PACKAGE)?;
    Ok(path)
}

/// Puts `package` in the place of the one that was published, signed with the tenant's keys by a program that does not
/// look at what it signs. `hookswitch-tenant publish` would.
async fn sign_anyway(world: &World, package: &Path) -> Told<()> {
    let tenant = world.path("tenant");
    let (metadata, targets) = (tenant.join("repository/metadata"), tenant.join("repository/targets"));
    let root = metadata.join("1.root.json");
    let url = |folder: &Path| url::Url::from_directory_path(folder).map_err(|()| "no absolute path");
    let trusted = std::fs::read(&root).at("root")?;
    let loader =
        RepositoryLoader::new(&trusted, url(&metadata)?, url(&targets)?).transport(FilesystemTransport);
    let published = loader.load().await.at("the repository")?;
    let ends = (
        published.targets().signed.expires,
        published.snapshot().signed.expires,
        published.timestamp().signed.expires,
    );
    let next = |version: NonZeroU64| version.checked_add(1).ok_or("a version");
    let versions = (
        next(published.targets().signed.version)?,
        next(published.snapshot().signed.version)?,
        next(published.timestamp().signed.version)?,
    );
    let mut editor = RepositoryEditor::from_repo(&root, published).await.at("editor")?;
    let target = tough::schema::Target::from_path(package).await.at("package")?;
    let digest: String = target.hashes.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    std::fs::copy(package, targets.join(format!("{digest}.{PACKAGE}"))).at("package")?;
    editor.add_target(PACKAGE, target).at("target")?;
    editor.targets_version(versions.0).at("version")?.targets_expires(ends.0).at("expiry")?;
    editor.snapshot_version(versions.1).snapshot_expires(ends.1);
    editor.timestamp_version(versions.2).timestamp_expires(ends.2);
    let key = |role: &str| -> Box<dyn KeySource> {
        Box::new(LocalKeySource { path: tenant.join(format!("keys/{role}.pk8")) })
    };
    let signed = editor.sign(&["targets", "snapshot", "timestamp"].map(key)).await.at("signing")?;
    signed.write(&metadata).await.at("metadata")
}

/// The install ends with status 1 and one line that begins with `line`; the device never heard of it.
async fn refused(package: impl FnOnce(&World) -> Told<PathBuf>, line: &str) -> Told<()> {
    let scene = Scene::with_offer(good_package).await?;
    let package = package(&scene.world)?;
    sign_anyway(&scene.world, &package).await?;
    let ended = scene.run(&["update", "install"])?;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let last = ended.stderr.lines().last().unwrap_or_default();
    let line = format!("hookswitch: The firmware package is refused: {line}");
    assert!(last.starts_with(&line), "expected {line:?}, found {last:?}");
    assert!(
        last.ends_with("Nothing was sent to the headset. Your company has to publish a package that fits.")
    );

    let list = scene.json(&["update", "list", "--json"])?;
    let outcome = &list["job"]["outcome"];
    assert_eq!(
        (&outcome["verdict"], &outcome["problem"]["code"]),
        (&"failed".into(), &"package-refused".into())
    );
    assert_eq!(list["offers"][0]["to_version"], NEW, "the offer stays: {list:#}");
    scene.device_untouched().await?;
    wait_for("the verdict at the tenant", PATIENCE, async || {
        let updates = scene.world.inventory()?["hosts"][0]["updates"].clone();
        Ok((updates[0]["verdict"] == "failed" && updates[1].is_null()).then_some(()))
    })
    .await
}

#[tokio::test]
async fn for_another_product() -> Told<()> {
    let package = |world: &World| {
        let (image, mut rules) = company::image_and_rules(IMAGE_BYTES)?;
        rules["targets"][0]["pid"] = "0077".into();
        company::pack(world, &image, &rules)
    };
    refused(package, "it is not for the product 1209:0001").await
}

#[tokio::test]
async fn with_another_version_than_the_policy_names() -> Told<()> {
    let package = |world: &World| {
        let (image, mut rules) = company::image_and_rules(IMAGE_BYTES)?;
        rules["version"] = "1.30".into();
        rules["components"][0]["version"] = "1.30".into();
        company::pack(world, &image, &rules)
    };
    refused(package, "it holds version 1.30, the policy names 1.20").await
}

/// Not taken and then forgotten: the agent cannot read a charge.
#[tokio::test]
async fn that_asks_for_a_charge() -> Told<()> {
    let package = |world: &World| {
        let (image, mut rules) = company::image_and_rules(IMAGE_BYTES)?;
        rules["battery_percent_minimum"] = 30.into();
        archive(world, &[("rules.json", rules.to_string().as_bytes()), ("headset.bin", &image)])
    };
    refused(package, "it asks for a charge of 30 %; this agent cannot read the charge of a headset").await
}

#[tokio::test]
async fn whose_suffix_is_of_another_device() -> Told<()> {
    let package = |world: &World| {
        let (image, mut rules) = company::image_and_rules(IMAGE_BYTES)?;
        let suffix = Suffix { bcd_device: 0x0120, vid: 0x0001, pid: 0x1209, bcd_dfu: 0x0100 };
        let image = Image::with_suffix(&image, suffix);
        rules["components"][0]["size"] = image.len().into();
        archive(world, &[("rules.json", rules.to_string().as_bytes()), ("headset.bin", &image)])
    };
    let line = "component “main”: by its DFU suffix the firmware is for 0001:1209, not for 1209:0001";
    refused(package, line).await
}

#[tokio::test]
async fn truncated() -> Told<()> {
    let package = |world: &World| {
        let whole = std::fs::read(good_package(world)?).at("package")?;
        write(world, &whole[..whole.len() / 2])
    };
    refused(package, "").await
}

#[tokio::test]
async fn with_a_path_that_leaves_its_folder() -> Told<()> {
    let package = |world: &World| {
        let (image, rules) = company::image_and_rules(IMAGE_BYTES)?;
        let rules = rules.to_string().replace("headset.bin", "../../headset.bin");
        archive(world, &[("rules.json", rules.as_bytes()), ("../../headset.bin", &image)])
    };
    refused(package, "").await
}

#[tokio::test]
async fn that_unpacks_to_a_bomb() -> Told<()> {
    let package = |world: &World| {
        let bomb = vec![0; 60 << 20];
        let (_, mut rules) = company::image_and_rules(IMAGE_BYTES)?;
        rules["components"][0]["size"] = bomb.len().into();
        archive(world, &[("rules.json", rules.to_string().as_bytes()), ("headset.bin", &bomb)])
    };
    refused(package, "").await
}

#[tokio::test]
async fn with_corrupt_rules() -> Told<()> {
    let package = |world: &World| {
        let (image, rules) = company::image_and_rules(IMAGE_BYTES)?;
        let rules = rules.to_string().replace("\"schema\":1", "\"schema\":");
        archive(world, &[("rules.json", rules.as_bytes()), ("headset.bin", &image)])
    };
    refused(package, "").await
}

#[tokio::test]
async fn changed_on_the_server() -> Told<()> {
    let scene = Scene::with_offer(good_package).await?;
    let served = scene.world.path("tenant/repository/targets");
    let package = std::fs::read_dir(&served).at("targets")?.flatten().map(|e| e.path());
    let package = package.into_iter().find(|p| p.to_string_lossy().ends_with(PACKAGE)).ok_or("a package")?;
    let mut bytes = std::fs::read(&package).at("package")?;
    bytes[100] ^= 1;
    std::fs::write(&package, bytes).at("package")?;
    let ended = scene.run(&["update", "install"])?;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let list = scene.json(&["update", "list", "--json"])?;
    let problem = &list["job"]["outcome"]["problem"];
    assert_eq!(problem["code"], "tenant-mismatch", "{list:#}");
    scene.device_untouched().await
}
