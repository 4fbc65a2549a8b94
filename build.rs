//! Embeds the control files and the sample host of the demo: `remediations/AREA/ID.toml` becomes a
//! table in the catalog, `samples/demo/**` one in the demo. A new file triggers a rebuild.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());

    let mut controls =
        String::from("/// (area, id, text)\nconst EMBEDDED_CONTROLS: &[(&str, &str, &str)] = &[\n");
    for file in files(&root.join("remediations"))? {
        if file.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        let area = file
            .parent()
            .and_then(Path::file_name)
            .unwrap_or_default()
            .to_string_lossy();
        let _ = writeln!(
            controls,
            "    ({area:?}, {stem:?}, include_str!({:?})),",
            file.display().to_string()
        );
    }
    controls.push_str("];\n");
    fs::write(out.join("embedded_controls.rs"), controls)?;

    let samples = root.join("samples/demo");
    let mut sample = String::from(
        "/// (path on the sample host, content)\nconst SAMPLE_HOST: &[(&str, &[u8])] = &[\n",
    );
    for file in files(&samples)? {
        let path = file
            .strip_prefix(&samples)
            .unwrap_or(&file)
            .to_string_lossy();
        let _ = writeln!(
            sample,
            "    (\"/{path}\", include_bytes!({:?})),",
            file.display().to_string()
        );
    }
    sample.push_str("];\n");
    fs::write(out.join("sample_host.rs"), sample)
}

/// All files below a folder, sorted; tells cargo to look at every folder again.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut found = Vec::new();
    if !folder.exists() {
        return Ok(found);
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            println!("cargo::rerun-if-changed={}", path.display());
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
