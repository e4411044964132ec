//! Programs as softphones, of the real agent: which one it is the system says.

use crate::rig::company;
use crate::rig::told::{Context, Told};
use crate::scene::Scene;
use crate::{golden, json::valid, masked};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Asks for the devices as a program that calls itself `desk`; gives the status of the answer.
fn asks(program: &Path, endpoint: &Value, token: bool) -> Told<String> {
    let mut ask = Command::new(program);
    ask.args(["--silent", "--output", "/dev/null", "--write-out", "%{http_code}"]);
    ask.args(["--header", "x-hookswitch-client: desk", "--cacert"]);
    ask.arg(endpoint["ca"].as_str().unwrap_or_default());
    if token {
        let token = endpoint["token"].as_str().unwrap_or_default();
        ask.args(["--header", &format!("authorization: Bearer {token}")]);
    }
    ask.arg(format!("{}/v1/devices", endpoint["url"].as_str().unwrap_or_default()));
    String::from_utf8(ask.output().at("curl")?.stdout).at("curl's answer")
}

#[tokio::test]
async fn programs_are_listed_by_their_executables_and_revoked_by_them() -> Told<()> {
    let mut scene = Scene::founded(company::USER)?;
    scene.start_alone()?;
    scene.status("the headset", |s| s["devices"][0]["status"]["state"] == "ready").await?;
    let endpoint = std::fs::read(scene.world.path("agent/endpoint.json")).at("endpoint.json")?;
    let endpoint: Value = serde_json::from_slice(&endpoint).at("endpoint.json")?;
    // A folder of a fixed length, so that the table is always as wide.
    let folder = PathBuf::from("/tmp").join(format!("hookswitch-{:010}", std::process::id()));
    std::fs::create_dir(&folder).at("a folder")?;
    let [phone, other, python] = ["phone", "other", "python3"].map(|name| folder.join(name));
    for program in [&phone, &other, &python] {
        std::fs::copy("/usr/bin/curl", program).at("curl")?;
    }
    assert_eq!(asks(&phone, &endpoint, true)?, "200");
    assert_eq!(asks(&other, &endpoint, false)?, "401");
    assert_eq!(asks(&python, &endpoint, false)?, "401");
    let list = scene.json(&["softphones", "list", "--json"])?;
    valid("softphones", &list);
    let run = |arguments: &[&str]| -> Told<String> {
        let ended = scene.run(&[&["softphones"], arguments].concat())?;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let masks = [(folder.to_str().unwrap_or_default(), "/opt/of-a-fixed-length-001")];
        Ok(masked(&ended.stdout, &masks))
    };
    golden("softphones.programs.txt", &run(&["list"])?);
    golden("softphones.programs.de-DE.txt", &run(&["list", "--language", "de"])?);
    let path = |program: &Path| program.display().to_string();
    // By a link, as the person finds it: allowed is what is behind it.
    let link = folder.join("link");
    std::os::unix::fs::symlink(&python, &link).at("a link")?;
    golden("softphones.approve-scripts.txt", &run(&["approve", &path(&link)])?);
    run(&["approve", &path(&other)])?;
    for program in [&other, &python] {
        assert_eq!(asks(program, &endpoint, false)?, "200");
    }
    run(&["revoke", &path(&phone)])?;
    assert_eq!(asks(&phone, &endpoint, true)?, "403");
    std::fs::remove_dir_all(&folder).at("the folder")
}
