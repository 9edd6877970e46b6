//! What of linear algebra the measures need: eigenvectors of symmetric matrices, and principal components.

mod eigen;
mod pca;

pub(crate) use eigen::symmetric;
pub(crate) use pca::Pca;
