// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// A `BIO` that reads what its engine was given and writes where its engine says.
///
/// OpenSSL's own memory BIO would copy all input once more and keep its largest size for each idle connection.
enum EngineBIO {
    // Made once before the first use, in C's memory, and never changed after.
    nonisolated(unsafe) private static let method: OpaquePointer? = {
        let type = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK
        guard let method = BIO_meth_new(type, "apus") else { return nil }
        BIO_meth_set_read_ex(method, bioRead)
        BIO_meth_set_write_ex(method, bioWrite)
        BIO_meth_set_ctrl(method, bioControl)
        return method
    }()

    /// A BIO that must not be used after its engine is gone.
    static func make(for engine: TLSEngine) -> OpaquePointer? {
        guard let method, let bio = BIO_new(method) else { return nil }
        // passUnretained: the engine frees the SSL, and that frees this, before it goes.
        BIO_set_data(bio, Unmanaged.passUnretained(engine).toOpaque())
        BIO_set_init(bio, 1)
        return bio
    }
}

private func engine(_ bio: OpaquePointer?) -> TLSEngine? {
    // Valid: see `make`.
    BIO_get_data(bio).map { Unmanaged<TLSEngine>.fromOpaque($0).takeUnretainedValue() }
}

private let retryFlags = BIO_FLAGS_READ | BIO_FLAGS_WRITE | BIO_FLAGS_IO_SPECIAL | BIO_FLAGS_SHOULD_RETRY

// BIO_meth_set_read_ex(3)
private func bioRead(
    _ bio: OpaquePointer?, _ target: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: UnsafeMutablePointer<Int>?
) -> Int32 {
    BIO_clear_flags(bio, retryFlags)
    let buffer = UnsafeMutableRawBufferPointer(start: target, count: size)
    guard let read = engine(bio)?.read(into: buffer) else { return 0 }
    count?.pointee = read
    if read == 0 { BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY) }
    return read > 0 ? 1 : 0
}

// BIO_meth_set_write_ex(3)
private func bioWrite(
    _ bio: OpaquePointer?, _ source: UnsafePointer<CChar>?, _ size: Int, _ count: UnsafeMutablePointer<Int>?
) -> Int32 {
    BIO_clear_flags(bio, retryFlags)
    engine(bio)?.write(UnsafeRawBufferPointer(start: source, count: size))
    count?.pointee = size
    return 1
}

// BIO_meth_set_ctrl(3)
private func bioControl(_: OpaquePointer?, _ command: Int32, _: Int, _: UnsafeMutableRawPointer?) -> Int {
    command == BIO_CTRL_FLUSH ? 1 : 0
}
