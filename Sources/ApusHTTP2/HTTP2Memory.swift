// SPDX-License-Identifier: Apache-2.0

internal import CNghttp2

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where nghttp2 gets the memory of a session: the C library's `malloc`, unless a subclass knows better. It may give
/// none: the session then ends with an error, and what it had allocated stays allocated. Used on the session's thread
/// alone.
open class HTTP2Memory {
    /// The C library's `malloc`.
    public init() {}

    /// `size` bytes as `malloc` gives them, or nil.
    open func allocate(_ size: Int) -> UnsafeMutableRawPointer? { malloc(size) }
    /// As `realloc`: nil leaves `block` as it was.
    open func reallocate(_ block: UnsafeMutableRawPointer?, _ size: Int) -> UnsafeMutableRawPointer? {
        realloc(block, size)
    }
    /// Gives a block back.
    open func release(_ block: UnsafeMutableRawPointer) { free(block) }
}

extension HTTP2Memory {
    /// Calls `body` with the table of functions, which nghttp2 copies; nil stands for the C library's.
    static func withTable<R>(of memory: HTTP2Memory?, _ body: (UnsafeMutablePointer<nghttp2_mem>?) -> R) -> R {
        guard let memory else { return body(nil) }
        // Unretained: the session retains it as long as it calls nghttp2.
        var table = nghttp2_mem(
            mem_user_data: Unmanaged.passUnretained(memory).toOpaque(), malloc: apusAllocate, free: apusFree,
            calloc: apusAllocateZeroed, realloc: apusReallocate)
        return body(&table)
    }
}

// Without a retain: see `withTable`.
@inline(__always)
private func withMemory<R>(_ context: UnsafeMutableRawPointer?, _ body: (HTTP2Memory) -> R) -> R? {
    guard let context else { return nil }
    return Unmanaged<HTTP2Memory>.fromOpaque(context)._withUnsafeGuaranteedRef(body)
}

private func apusAllocate(_ size: Int, _ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    withMemory(context) { $0.allocate(size) } ?? nil
}

private func apusAllocateZeroed(
    _ count: Int, _ size: Int, _ context: UnsafeMutableRawPointer?
) -> UnsafeMutableRawPointer? {
    let (bytes, overflow) = count.multipliedReportingOverflow(by: size)
    guard !overflow, let block = apusAllocate(bytes, context) else { return nil }
    return memset(block, 0, bytes)
}

private func apusReallocate(
    _ block: UnsafeMutableRawPointer?, _ size: Int, _ context: UnsafeMutableRawPointer?
) -> UnsafeMutableRawPointer? {
    withMemory(context) { $0.reallocate(block, size) } ?? nil
}

private func apusFree(_ block: UnsafeMutableRawPointer?, _ context: UnsafeMutableRawPointer?) {
    if let block { withMemory(context) { $0.release(block) } }
}
