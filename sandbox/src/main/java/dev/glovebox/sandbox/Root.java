package dev.glovebox.sandbox;

/// Where the files of a sandbox's root directory come from.
public sealed interface Root {
    /// The programs of this host's `/usr`, with a synthetic `/etc`.
    record Host() implements Root {}

    /// An OCI image.
    ///
    /// @param reference `registry.example/name:tag`, `registry.example/name@sha256:…`, or
    ///   `oci:/absolute/layout:tag` for an OCI image layout on this host
    record Image(String reference) implements Root {}
}
