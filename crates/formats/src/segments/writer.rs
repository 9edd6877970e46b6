//! Puts datasets into an HDF5 file, front to back, chunks compressed in parallel.

use std::io::{self, Seek, SeekFrom, Write};

use flate2::{Compress, Compression, FlushCompress, Status};
use rayon::prelude::*;

use super::structures::{self as parts, ChunkPlace, Datatype, PutLe, UNDEFINED};

/// Deflate's lightest level: the mantissas hardly compress at any.
const DEFLATE_LEVEL: u32 = 1;
/// Bytes of a chunk before compression, where a segment is not larger: 64 KiB stays in a core's cache and in h5py's.
const CHUNK_BYTES: usize = 64 * 1024;
/// The most chunks one B-tree node takes (the libraries refuse a `K` above 32,767).
const MOST_CHUNKS: usize = 65_000;

/// The value of an attribute.
#[derive(Debug, Clone)]
pub(crate) enum Attribute<'a> {
    /// One float.
    Float(f64),
    /// An array of floats.
    Floats(&'a [f64]),
    /// One integer.
    Integer(i64),
    /// An array of integers.
    Integers(&'a [i64]),
    /// One string.
    Text(&'a str),
    /// An array of strings.
    Texts(&'a [String]),
}

/// An HDF5 file being written: datasets in the root group, then [`finish`](Self::finish).
pub(crate) struct Writer<W> {
    out: W,
    position: u64,
    datasets: Vec<(&'static str, u64)>,
    chunk_tree_k: u16,
}

impl<W: Write + Seek> Writer<W> {
    /// Leaves room for the superblock, which is written last.
    pub(crate) fn new(out: W) -> io::Result<Self> {
        let mut writer = Self { out, position: 0, datasets: Vec::new(), chunk_tree_k: parts::chunk_tree_k(0) };
        writer.put(&[0; parts::SUPERBLOCK_BYTES])?;
        Ok(writer)
    }

    /// Writes bytes at the next multiple of 8 and returns where.
    fn put(&mut self, bytes: &[u8]) -> io::Result<u64> {
        let address = self.position.next_multiple_of(8);
        self.out.write_all(&[0_u8; 8][..(address - self.position) as usize])?;
        self.out.write_all(bytes)?;
        self.position = address + bytes.len() as u64;
        Ok(address)
    }

    /// Adds a dataset of one block of bytes, the elements in row-major order.
    pub(crate) fn dataset(&mut self, name: &'static str, datatype: Datatype, dims: &[u64], bytes: &[u8]) -> io::Result<()> {
        let address = if bytes.is_empty() { UNDEFINED } else { self.put(bytes)? };
        let messages = vec![
            (1, parts::dataspace(dims, false)),
            (3, datatype.encode()),
            (5, parts::fill_value()),
            (8, parts::contiguous_layout(address, bytes.len() as u64)),
        ];
        self.object(name, messages, &[])
    }

    /// Adds a float32 dataset `[row, time, channel]` in chunks of rows, compressed in parallel. `dims` without rows is fine.
    pub(crate) fn signals(
        &mut self,
        name: &'static str,
        dims: [usize; 3],
        samples: &[f32],
        attributes: &[(&'static str, Attribute<'_>)],
    ) -> io::Result<()> {
        let row = dims[1] * dims[2];
        let rows = (CHUNK_BYTES / (4 * row.max(1))).max(dims[0].div_ceil(MOST_CHUNKS)).max(1);
        self.expect_chunks(dims[0].div_ceil(rows));
        let chunks = self.chunks(samples, rows * row)?;
        self.chunked(name, (&dims, rows), &chunks, attributes)
    }

    /// Writes the header of a float32 dataset in chunks of `rows` rows, which have been written.
    fn chunked(
        &mut self,
        name: &'static str,
        (dims, rows): (&[usize], usize),
        chunks: &[ChunkPlace],
        attributes: &[(&'static str, Attribute<'_>)],
    ) -> io::Result<()> {
        let k = self.chunk_tree_k;
        let tree = if chunks.is_empty() { UNDEFINED } else { self.put(&parts::chunk_tree(chunks, rows as u64, dims.len(), k))? };
        let mut shape: Vec<u32> = dims.iter().map(|&dim| dim as u32).collect();
        if let Some(first) = shape.first_mut() {
            *first = rows as u32;
        }
        let messages = vec![
            (1, parts::dataspace(&dims.iter().map(|&dim| dim as u64).collect::<Vec<_>>(), true)),
            (3, Datatype::Float32.encode()),
            (5, parts::fill_value()),
            (8, parts::chunked_layout(tree, &shape, Datatype::Float32.size())),
            (11, parts::shuffle_and_deflate(Datatype::Float32.size(), DEFLATE_LEVEL)),
        ];
        self.object(name, messages, attributes)
    }

    /// Makes room for datasets of up to this many chunks, of which all have to be known before the first is written.
    fn expect_chunks(&mut self, chunks: usize) {
        self.chunk_tree_k = self.chunk_tree_k.max(parts::chunk_tree_k(chunks));
    }

    /// Makes room for datasets of these shapes, to be written by rows.
    pub(crate) fn expect_rows(&mut self, shapes: &[[usize; 2]]) {
        for &dims in shapes {
            self.expect_chunks(dims[0].div_ceil(Rows::of_chunk(dims)));
        }
    }

    /// Begins a float32 dataset `[row, column]` whose rows come in parts. Where there are several, see
    /// [`expect_rows`](Self::expect_rows).
    pub(crate) fn begin_rows(&mut self, name: &'static str, dims: [usize; 2]) -> Rows {
        let rows = Rows::of_chunk(dims);
        self.expect_chunks(dims[0].div_ceil(rows));
        Rows { name, dims, per_chunk: rows, pending: Vec::new(), places: Vec::new() }
    }

    /// Takes further rows.
    pub(crate) fn push_rows(&mut self, rows: &mut Rows, values: &[f32]) -> io::Result<()> {
        rows.pending.extend_from_slice(values);
        let length = rows.per_chunk * rows.dims[1];
        let whole = rows.pending.len() - rows.pending.len() % length.max(1);
        rows.places.extend(self.chunks(rows.pending.get(..whole).unwrap_or(&[]), length)?);
        rows.pending.drain(..whole);
        Ok(())
    }

    /// Ends a dataset of rows.
    pub(crate) fn end_rows(&mut self, rows: Rows, attributes: &[(&'static str, Attribute<'_>)]) -> io::Result<()> {
        let Rows { name, dims, per_chunk, pending, mut places } = rows;
        places.extend(self.chunks(&pending, per_chunk * dims[1])?);
        self.chunked(name, (&dims, per_chunk), &places, attributes)
    }

    /// Compresses `samples` in chunks of `length` values, a batch at a time, and writes them. Each chunk is compressed by
    /// itself, so the bytes do not depend on which thread took it.
    fn chunks(&mut self, samples: &[f32], length: usize) -> io::Result<Vec<ChunkPlace>> {
        let mut places = Vec::with_capacity(samples.len().div_ceil(length.max(1)));
        let batch = length * CHUNKS_PER_THREAD * rayon::current_num_threads();
        for batch in samples.chunks(batch.max(1)) {
            let compressed: Vec<Vec<u8>> = batch
                .par_chunks(length)
                .map_init(Compressor::new, |compressor, chunk| compressor.compress(chunk, length))
                .collect::<io::Result<_>>()?;
            for chunk in compressed {
                places.push(ChunkPlace { address: self.put(&chunk)?, bytes: chunk.len() as u32 });
            }
        }
        Ok(places)
    }

    /// Writes a dataset's header and notes its link.
    fn object(
        &mut self,
        name: &'static str,
        mut messages: Vec<(u16, Vec<u8>)>,
        attributes: &[(&'static str, Attribute<'_>)],
    ) -> io::Result<()> {
        messages.extend(self.attributes(attributes)?);
        let address = self.put(&parts::object_header(&messages))?;
        self.datasets.push((name, address));
        Ok(())
    }

    /// Attribute messages; their strings go into a global heap of their own, which is what h5py gives back as `str`.
    fn attributes(&mut self, attributes: &[(&'static str, Attribute<'_>)]) -> io::Result<Vec<(u16, Vec<u8>)>> {
        let texts: Vec<String> = attributes
            .iter()
            .flat_map(|(_, value)| match value {
                Attribute::Text(text) => vec![(*text).to_owned()],
                Attribute::Texts(texts) => texts.to_vec(),
                Attribute::Float(_) | Attribute::Floats(_) | Attribute::Integer(_) | Attribute::Integers(_) => Vec::new(),
            })
            .filter(|text| !text.is_empty())
            .collect();
        let heap = if texts.is_empty() { UNDEFINED } else { self.put(&parts::global_heap(&texts))? };
        let mut next = 1_u32;
        let mut refer = |message: &mut Vec<u8>, text: &str| {
            message.u32(text.len() as u32);
            // An empty string refers to nothing: address and index 0.
            message.u64(if text.is_empty() { 0 } else { heap });
            message.u32(if text.is_empty() { 0 } else { next });
            next += u32::from(!text.is_empty());
        };
        Ok(attributes
            .iter()
            .map(|(name, value)| {
                let message = match value {
                    Attribute::Float(number) => {
                        let mut message = parts::attribute(name, Datatype::Float64, &[]);
                        message.extend_from_slice(&number.to_le_bytes());
                        message
                    }
                    Attribute::Floats(numbers) => {
                        let mut message = parts::attribute(name, Datatype::Float64, &[numbers.len() as u64]);
                        numbers.iter().for_each(|number| message.extend_from_slice(&number.to_le_bytes()));
                        message
                    }
                    Attribute::Integers(numbers) => {
                        let mut message = parts::attribute(name, Datatype::Int64, &[numbers.len() as u64]);
                        numbers.iter().for_each(|number| message.extend_from_slice(&number.to_le_bytes()));
                        message
                    }
                    Attribute::Integer(number) => {
                        let mut message = parts::attribute(name, Datatype::Int64, &[]);
                        message.extend_from_slice(&number.to_le_bytes());
                        message
                    }
                    Attribute::Text(text) => {
                        let mut message = parts::attribute(name, Datatype::HeapText, &[]);
                        refer(&mut message, text);
                        message
                    }
                    Attribute::Texts(texts) => {
                        let mut message = parts::attribute(name, Datatype::HeapText, &[texts.len() as u64]);
                        texts.iter().for_each(|text| refer(&mut message, text));
                        message
                    }
                };
                (12, message)
            })
            .collect())
    }

    /// Writes the root group with these attributes, then the superblock, and gives the sink back.
    pub(crate) fn finish(mut self, attributes: &[(&'static str, Attribute<'_>)]) -> io::Result<W> {
        self.datasets.sort_unstable();
        let names: Vec<&str> = self.datasets.iter().map(|(name, _)| *name).collect();
        let heap = self.position.next_multiple_of(8);
        let (names, positions) = parts::link_names(&names, heap);
        self.put(&names)?;
        let links: Vec<(u64, u64)> = positions.iter().zip(&self.datasets).map(|(&name, &(_, object))| (name, object)).collect();
        let node = self.put(&parts::links(&links))?;
        let tree = self.put(&parts::group_tree(node, positions.last().copied().unwrap_or(0)))?;
        let mut messages = vec![(17, parts::symbol_table(tree, heap))];
        messages.extend(self.attributes(attributes)?);
        let root = self.put(&parts::object_header(&messages))?;
        self.put(&[])?;
        let superblock = parts::superblock(root, tree, heap, self.position, self.chunk_tree_k);
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(&superblock)?;
        Ok(self.out)
    }
}

/// A dataset whose rows come in parts.
pub(crate) struct Rows {
    name: &'static str,
    dims: [usize; 2],
    /// Rows of a chunk.
    per_chunk: usize,
    pending: Vec<f32>,
    places: Vec<ChunkPlace>,
}

impl Rows {
    /// Rows of a chunk of a dataset of this shape.
    fn of_chunk(dims: [usize; 2]) -> usize {
        (CHUNK_BYTES / (4 * dims[1].max(1))).max(dims[0].div_ceil(MOST_CHUNKS)).max(1)
    }
}

/// Chunks that are held compressed at a time, for each thread: enough to make a compressor worth its while.
const CHUNKS_PER_THREAD: usize = 32;

/// What one thread needs to shuffle and compress chunks: the compressor's tables take 300 KiB, too many to make per chunk.
struct Compressor {
    deflate: Compress,
    shuffled: Vec<u8>,
}

impl Compressor {
    fn new() -> Self {
        Self { deflate: Compress::new(Compression::new(DEFLATE_LEVEL), true), shuffled: Vec::new() }
    }

    /// One chunk of `length` values as HDF5 stores it: all first bytes, then all second bytes, …, deflated. A chunk at the end
    /// of the data is filled with zeros.
    fn compress(&mut self, chunk: &[f32], length: usize) -> io::Result<Vec<u8>> {
        self.shuffled.clear();
        self.shuffled.resize(4 * length, 0);
        for (byte, plane) in self.shuffled.chunks_exact_mut(length).enumerate() {
            for (slot, value) in plane.iter_mut().zip(chunk) {
                *slot = (value.to_bits() >> (8 * byte)) as u8;
            }
        }
        self.deflate.reset();
        // Deflate stores what it cannot shrink, at 5 bytes per block of at least 16 KiB.
        let mut out = Vec::with_capacity(self.shuffled.len() + self.shuffled.len() / 1024 + 256);
        match self.deflate.compress_vec(&self.shuffled, &mut out, FlushCompress::Finish) {
            Ok(Status::StreamEnd) => Ok(out),
            other => Err(io::Error::other(format!("a chunk of {length} values could not be compressed ({other:?})"))),
        }
    }
}
