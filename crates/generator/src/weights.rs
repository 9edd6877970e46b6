//! Parameters as named arrays: out of a model, into a model, and in safetensors files.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use burn::Tensor;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::TensorData;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

/// Values on the host, row-major.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Array {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f32>,
}

impl Array {
    /// Reads a tensor from its device.
    pub(crate) fn read<const D: usize>(tensor: Tensor<D>) -> Result<Self, String> {
        let shape = tensor.dims().to_vec();
        let values = tensor.inner().try_into_vec_as::<f32>().map_err(|error| error.to_string())?;
        Ok(Self { shape, values })
    }
}

/// Every parameter of `model` by its path, such as `recurrent.layers.0.weight_ih`.
pub(crate) fn arrays(model: &impl Module) -> Result<BTreeMap<String, Array>, String> {
    let mut reader = Reader { path: Vec::new(), found: Ok(BTreeMap::new()) };
    model.visit(&mut reader);
    reader.found
}

/// `model` with its parameters replaced by the arrays of their paths; says which is missing or of another shape.
pub(crate) fn with_arrays<M: Module>(model: M, arrays: &BTreeMap<String, Array>) -> Result<M, String> {
    let mut writer = Writer { path: Vec::new(), arrays, problem: None };
    let model = model.map(&mut writer);
    match writer.problem {
        None => Ok(model),
        Some(problem) => Err(problem),
    }
}

struct Reader {
    path: Vec<String>,
    found: Result<BTreeMap<String, Array>, String>,
}

impl ModuleVisitor for Reader {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let path = self.path.join(".");
        match (&mut self.found, Array::read(param.val())) {
            (Ok(found), Ok(array)) => _ = found.insert(path, array),
            (Ok(_), Err(problem)) => self.found = Err(problem),
            (Err(_), _) => {}
        }
    }
}

struct Writer<'a> {
    path: Vec<String>,
    arrays: &'a BTreeMap<String, Array>,
    problem: Option<String>,
}

impl ModuleMapper for Writer<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let path = self.path.join(".");
        let own = param.val();
        let shape = own.dims();
        let Some(array) = self.arrays.get(&path) else {
            self.problem.get_or_insert(format!("the parameter '{path}' is missing"));
            return param;
        };
        if array.shape != shape {
            self.problem.get_or_insert(format!("the parameter '{path}' has shape {:?} where {shape:?} is needed", array.shape));
            return param;
        }
        let device = own.device();
        let trained = own.is_require_grad();
        let value = Tensor::from_data(TensorData::new(array.values.clone(), shape), &device);
        Param::initialized(param.id, if trained { value.require_grad() } else { value })
    }
}

/// The bytes of a safetensors file with these arrays (sorted by name) and one line of text under the metadata key
/// `training`. One key only: the format's writer puts several in no fixed order.
pub(crate) fn to_safetensors(arrays: &BTreeMap<String, Array>, training: Option<&str>) -> Result<Vec<u8>, String> {
    let bytes: Vec<Vec<u8>> = arrays.values().map(|a| a.values.iter().flat_map(|x| x.to_le_bytes()).collect()).collect();
    let mut views = Vec::with_capacity(arrays.len());
    for ((name, array), bytes) in arrays.iter().zip(&bytes) {
        let view = TensorView::new(Dtype::F32, array.shape.clone(), bytes).map_err(|error| error.to_string())?;
        views.push((name.clone(), view));
    }
    let metadata = training.map(|text| HashMap::from([("training".to_owned(), text.to_owned())]));
    safetensors::serialize(views, metadata).map_err(|error| error.to_string())
}

/// The arrays of a safetensors file, with the text under the metadata key `training`.
pub(crate) fn from_safetensors(bytes: &[u8]) -> Result<(BTreeMap<String, Array>, Option<String>), String> {
    let text = |error: safetensors::SafeTensorError| error.to_string();
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(text)?;
    let training = metadata.metadata().as_ref().and_then(|map| map.get("training").cloned());
    let mut arrays = BTreeMap::new();
    for (name, view) in SafeTensors::deserialize(bytes).map_err(text)?.iter() {
        if view.dtype() != Dtype::F32 {
            return Err(format!("the tensor '{name}' is {:?} where F32 is needed", view.dtype()));
        }
        let values = view.data().as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
        arrays.insert(name.to_owned(), Array { shape: view.shape().to_vec(), values });
    }
    Ok((arrays, training))
}

/// Writes `bytes` to `path` so that a reader finds the old file or the new one, whole, whatever happens in between: a
/// temporary name beside it, synced, renamed, and the folder synced.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let mut file = std::fs::File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    std::fs::rename(&temporary, path)?;
    // Folders can be synced on Unix alone.
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        std::fs::File::open(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> BTreeMap<String, Array> {
        BTreeMap::from([
            ("b".to_owned(), Array { shape: vec![2, 1], values: vec![1.5, f32::MIN_POSITIVE] }),
            ("a".to_owned(), Array { shape: vec![3], values: vec![-0.0, 2.0, 3.0] }),
        ])
    }

    #[test]
    fn safetensors_round_trip_and_equal_bytes() {
        let bytes = to_safetensors(&some(), Some("{\"epoch\":3}")).unwrap();
        assert_eq!(bytes, to_safetensors(&some(), Some("{\"epoch\":3}")).unwrap());
        assert_eq!(from_safetensors(&bytes).unwrap(), (some(), Some("{\"epoch\":3}".to_owned())));
        assert!(from_safetensors(&bytes[..bytes.len() - 3]).is_err());
        assert!(from_safetensors(b"short").is_err());
    }

    #[test]
    fn atomic_write_replaces_and_leaves_no_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write_atomically(&path, b"one").unwrap();
        write_atomically(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
