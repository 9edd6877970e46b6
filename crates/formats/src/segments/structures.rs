//! The HDF5 structures that a segment file is made of, as bytes.
//!
//! Those of the first versions (superblock 1, object headers 1, version 1 B-trees, symbol table): every HDF5 library since 1.6
//! reads them, and they carry no checksums or times. Source: HDF5 File Format Specification, version 3.0; each function
//! names its section. Integers are little-endian, "offsets" and "lengths" 8 bytes.

/// "No such address" in every field that holds one.
pub(super) const UNDEFINED: u64 = u64::MAX;
/// Bytes of [`superblock`], padded so that what follows is aligned to 8.
pub(super) const SUPERBLOCK_BYTES: usize = 104;
/// Half the entries that the root group's B-tree node has room for (16 is the libraries' default).
const GROUP_TREE_K: u16 = 16;
/// Half the links that the root group's symbol table node has room for; all links are in one node.
pub(super) const GROUP_LEAF_K: u16 = 16;

/// Appends little-endian integers.
pub(super) trait PutLe {
    /// Appends two bytes.
    fn u16(&mut self, value: u16);
    /// Appends four bytes.
    fn u32(&mut self, value: u32);
    /// Appends eight bytes.
    fn u64(&mut self, value: u64);
    /// Appends zeros up to the next multiple of 8 bytes.
    fn pad(&mut self);
}

impl PutLe for Vec<u8> {
    fn u16(&mut self, value: u16) {
        self.extend_from_slice(&value.to_le_bytes());
    }
    fn u32(&mut self, value: u32) {
        self.extend_from_slice(&value.to_le_bytes());
    }
    fn u64(&mut self, value: u64) {
        self.extend_from_slice(&value.to_le_bytes());
    }
    fn pad(&mut self) {
        self.resize(self.len().next_multiple_of(8), 0);
    }
}

/// Element types.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Datatype {
    /// IEEE float of 4 bytes.
    Float32,
    /// IEEE float of 8 bytes.
    Float64,
    /// Signed integer of 4 bytes.
    Int32,
    /// Signed integer of 8 bytes.
    Int64,
    /// UTF-8 of this many bytes, padded with NUL.
    Text(u32),
    /// UTF-8 of any length, in a global heap.
    HeapText,
}

impl Datatype {
    /// Bytes of one element.
    pub(super) fn size(self) -> u32 {
        match self {
            Self::Float32 | Self::Int32 => 4,
            Self::Float64 | Self::Int64 => 8,
            Self::Text(size) => size,
            Self::HeapText => 16,
        }
    }

    /// The datatype message, IV.A.2.d, version 1.
    pub(super) fn encode(self) -> Vec<u8> {
        // Class and version, then 24 bits that say what the class needs, then the size.
        let (class, bits): (u8, [u8; 3]) = match self {
            // Little-endian, implied leading one of the mantissa, sign in bit 31 or 63.
            Self::Float32 => (0x11, [0x20, 31, 0]),
            Self::Float64 => (0x11, [0x20, 63, 0]),
            // Little-endian, signed.
            Self::Int32 | Self::Int64 => (0x10, [0x08, 0, 0]),
            // Padded with NUL, UTF-8.
            Self::Text(_) => (0x13, [0x11, 0, 0]),
            // A string, ended by NUL in memory, UTF-8.
            Self::HeapText => (0x19, [0x01, 0x01, 0]),
        };
        let mut out = vec![class, bits[0], bits[1], bits[2]];
        out.u32(self.size());
        match self {
            // Bit offset and precision; position and size of exponent and mantissa; exponent bias.
            Self::Float32 => {
                out.extend_from_slice(&[0, 0, 32, 0, 23, 8, 0, 23]);
                out.u32(127);
            }
            Self::Float64 => {
                out.extend_from_slice(&[0, 0, 64, 0, 52, 11, 0, 52]);
                out.u32(1023);
            }
            Self::Int32 => out.extend_from_slice(&[0, 0, 32, 0]),
            Self::Int64 => out.extend_from_slice(&[0, 0, 64, 0]),
            Self::Text(_) => {}
            // The base type: an unsigned byte.
            Self::HeapText => out.extend_from_slice(&[0x10, 0, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0]),
        }
        out.pad();
        out
    }
}

/// The dataspace message, IV.A.2.b, version 1: no dimensions is a scalar. With `grows`, the first dimension may be extended.
pub(super) fn dataspace(dims: &[u64], grows: bool) -> Vec<u8> {
    let mut out = vec![1, dims.len() as u8, u8::from(grows), 0, 0, 0, 0, 0];
    for &dim in dims {
        out.u64(dim);
    }
    if grows {
        for (axis, &dim) in dims.iter().enumerate() {
            out.u64(if axis == 0 { UNDEFINED } else { dim });
        }
    }
    out
}

/// Fill value message, IV.A.2.f, version 2: allocated late, zeros where nothing was written.
pub(super) fn fill_value() -> Vec<u8> {
    vec![2, 2, 2, 1, 0, 0, 0, 0]
}

/// Layout message, IV.A.2.i, version 3, of one block of bytes.
pub(super) fn contiguous_layout(address: u64, bytes: u64) -> Vec<u8> {
    let mut out = vec![3, 1];
    out.u64(address);
    out.u64(bytes);
    out.pad();
    out
}

/// Layout message of chunks of shape `chunk` under the B-tree at `tree`.
pub(super) fn chunked_layout(tree: u64, chunk: &[u32], element_bytes: u32) -> Vec<u8> {
    let mut out = vec![3, 2, chunk.len() as u8 + 1];
    out.u64(tree);
    for &dim in chunk {
        out.u32(dim);
    }
    out.u32(element_bytes);
    out.pad();
    out
}

/// Filter pipeline message, IV.A.2.l, version 1: shuffle over elements of `element_bytes`, then deflate.
pub(super) fn shuffle_and_deflate(element_bytes: u32, level: u32) -> Vec<u8> {
    let mut out = vec![1, 2, 0, 0, 0, 0, 0, 0];
    for (filter, parameter) in [(2, element_bytes), (1, level)] {
        out.u16(filter);
        out.u16(0);
        out.u16(1);
        out.u16(1);
        out.u32(parameter);
        out.u32(0);
    }
    out
}

/// Attribute message, IV.A.2.m, version 1, without its value.
pub(super) fn attribute(name: &str, datatype: Datatype, dims: &[u64]) -> Vec<u8> {
    let (datatype, dataspace) = (datatype.encode(), dataspace(dims, false));
    let mut out = vec![1, 0];
    out.u16(name.len() as u16 + 1);
    out.u16(datatype.len() as u16);
    out.u16(dataspace.len() as u16);
    out.extend_from_slice(name.as_bytes());
    out.push(0);
    out.pad();
    out.extend(datatype);
    out.extend(dataspace);
    out
}

/// Symbol table message, IV.A.2.r: where a group keeps its links.
pub(super) fn symbol_table(tree: u64, heap: u64) -> Vec<u8> {
    let mut out = Vec::new();
    out.u64(tree);
    out.u64(heap);
    out
}

/// Object header, IV.A.1.a, version 1, of messages `(type, content)`.
pub(super) fn object_header(messages: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (kind, content) in messages {
        body.u16(*kind);
        body.u16(content.len().next_multiple_of(8) as u16);
        body.u32(0);
        body.extend_from_slice(content);
        body.pad();
    }
    let mut out = vec![1, 0];
    out.u16(messages.len() as u16);
    out.u32(1);
    out.u32(body.len() as u32);
    out.u32(0);
    out.extend(body);
    out
}

/// A global heap collection, III.E, of `texts`, numbered from 1.
pub(super) fn global_heap(texts: &[String]) -> Vec<u8> {
    let mut objects = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        objects.u16(index as u16 + 1);
        objects.u16(1);
        objects.u32(0);
        objects.u64(text.len() as u64);
        objects.extend_from_slice(text.as_bytes());
        objects.pad();
    }
    // The rest, at least an object's header, is free space: object 0.
    let size = (16 + objects.len() + 16).max(4096);
    let mut out = b"GCOL\x01\0\0\0".to_vec();
    out.u64(size as u64);
    out.extend(objects);
    let free = size - out.len();
    out.u64(0);
    out.u64(free as u64);
    out.resize(size, 0);
    out
}

/// One chunk of a dataset: where its bytes are and how many.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChunkPlace {
    /// Address in the file.
    pub(super) address: u64,
    /// Bytes after compression.
    pub(super) bytes: u32,
}

/// Half the entries that a chunk index of one node needs for `chunks`.
pub(super) fn chunk_tree_k(chunks: usize) -> u16 {
    (chunks.div_ceil(2) as u16).max(32)
}

/// The B-tree node, III.A.1, type 1, over chunks that follow one another along the first of `rank` dimensions, `rows` each.
///
/// All nodes of a file have room for `k` entries twice.
pub(super) fn chunk_tree(chunks: &[ChunkPlace], rows: u64, rank: usize, k: u16) -> Vec<u8> {
    let room = 2 * usize::from(k);
    let mut out = b"TREE\x01\0".to_vec();
    out.u16(chunks.len() as u16);
    out.u64(UNDEFINED);
    out.u64(UNDEFINED);
    let key = |out: &mut Vec<u8>, bytes: u32, row: u64| {
        out.u32(bytes);
        out.u32(0);
        out.u64(row);
        // The other dimensions, and the bytes within an element, start at 0.
        out.resize(out.len() + 8 * rank, 0);
    };
    for (index, chunk) in chunks.iter().enumerate() {
        key(&mut out, chunk.bytes, index as u64 * rows);
        out.u64(chunk.address);
    }
    key(&mut out, 0, chunks.len() as u64 * rows);
    // A node is read whole, used or not.
    let key_bytes = 8 + 8 * (rank + 1);
    out.resize(24 + room * 8 + (room + 1) * key_bytes, 0);
    out
}

/// The local heap, III.D, of the links' names, and where each name is in it. `address` is where the heap will stand.
pub(super) fn link_names(names: &[&str], address: u64) -> (Vec<u8>, Vec<u64>) {
    let mut data = vec![0_u8; 8];
    let mut positions = Vec::with_capacity(names.len());
    for name in names {
        positions.push(data.len() as u64);
        data.extend_from_slice(name.as_bytes());
        data.push(0);
        data.pad();
    }
    let mut out = b"HEAP\0\0\0\0".to_vec();
    out.u64(data.len() as u64);
    // 1 stands for "no free space".
    out.u64(1);
    out.u64(address + 32);
    out.extend(data);
    (out, positions)
}

/// The symbol table node, III.C, of links `(position of the name, address of the object)` sorted by name.
pub(super) fn links(links: &[(u64, u64)]) -> Vec<u8> {
    let mut out = b"SNOD\x01\0".to_vec();
    out.u16(links.len() as u16);
    for &(name, object) in links {
        out.u64(name);
        out.u64(object);
        // Nothing cached about the object.
        out.resize(out.len() + 24, 0);
    }
    out.resize(8 + 2 * usize::from(GROUP_LEAF_K) * 40, 0);
    out
}

/// The B-tree node, type 0, of a group whose links are all in the node at `links`; `last_name` is the last link's position.
pub(super) fn group_tree(links: u64, last_name: u64) -> Vec<u8> {
    let mut out = b"TREE\0\0\x01\0".to_vec();
    out.u64(UNDEFINED);
    out.u64(UNDEFINED);
    out.u64(0);
    out.u64(links);
    out.u64(last_name);
    let room = 2 * usize::from(GROUP_TREE_K);
    out.resize(24 + room * 8 + (room + 1) * 8, 0);
    out
}

/// The superblock, II.A, version 1, padded to [`SUPERBLOCK_BYTES`].
pub(super) fn superblock(root: u64, tree: u64, heap: u64, end: u64, chunk_tree_k: u16) -> Vec<u8> {
    let mut out = b"\x89HDF\r\n\x1a\n".to_vec();
    out.extend_from_slice(&[1, 0, 0, 0, 0, 8, 8, 0]);
    out.u16(GROUP_LEAF_K);
    out.u16(GROUP_TREE_K);
    out.u32(0);
    out.u16(chunk_tree_k);
    out.u16(0);
    out.u64(0);
    out.u64(UNDEFINED);
    out.u64(end);
    out.u64(UNDEFINED);
    // The root group's entry, with its symbol table cached.
    out.u64(0);
    out.u64(root);
    out.u32(1);
    out.u32(0);
    out.u64(tree);
    out.u64(heap);
    out.resize(SUPERBLOCK_BYTES, 0);
    out
}
