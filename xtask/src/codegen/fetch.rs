//! Fetching: the pinned `botocore` wheel from PyPI, and files out of it.
//!
//! The wheel is the official model's only packaged form with stable versions. It needs `python3` with `pip`,
//! and the network once; afterwards the wheel lies under the target directory.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use anyhow::{Context as _, Result, ensure};

/// The pinned version. A newer one is an intended change of the API that KECS speaks.
pub(crate) const VERSION: &str = "1.44.8";

/// Prints one file of a wheel, which may be there compressed or not.
const EXTRACT: &str = r"
import gzip, sys, zipfile
wheel, name = zipfile.ZipFile(sys.argv[1]), sys.argv[2]
packed = name + '.gz' in wheel.namelist()
sys.stdout.buffer.write(gzip.decompress(wheel.read(name + '.gz')) if packed else wheel.read(name))
";

/// The wheel on disk.
#[derive(Debug)]
pub(crate) struct Wheel(PathBuf);

impl Wheel {
    /// Downloads the wheel, unless it's there.
    pub(crate) fn fetch(root: &Path) -> Result<Wheel> {
        let target =
            env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
        let cache = target.join("codegen");
        let wheel = cache.join(format!("botocore-{VERSION}-py3-none-any.whl"));
        if !wheel.exists() {
            fs::create_dir_all(&cache)?;
            let status = Command::new("python3")
                .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"])
                .args(["--only-binary", ":all:", "--dest"])
                .arg(&cache)
                .arg(format!("botocore=={VERSION}"))
                .stdout(Stdio::null())
                .status()
                .context("python3 doesn't start")?;
            ensure!(status.success() && wheel.exists(), "botocore {VERSION} could not be downloaded");
        }
        Ok(Wheel(wheel))
    }

    /// Reads one file of a service.
    pub(crate) fn read(&self, service_dir: &str, file: &str) -> Result<Vec<u8>> {
        let name = format!("botocore/data/{service_dir}/{file}");
        let output = Command::new("python3")
            .args(["-c", EXTRACT])
            .arg(&self.0)
            .arg(&name)
            .stderr(Stdio::inherit())
            .output()
            .context("python3 doesn't start")?;
        ensure!(output.status.success(), "no {name} in the wheel");
        Ok(output.stdout)
    }
}
