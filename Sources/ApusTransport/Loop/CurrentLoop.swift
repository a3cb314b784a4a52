// SPDX-License-Identifier: Apache-2.0

import CLibuv

/// Which loop the calling thread is: a thread-local pointer.
enum CurrentLoop {
    // Made once before the first use; the key itself never changes.
    nonisolated(unsafe) private static let key: UnsafeMutablePointer<uv_key_t> = {
        let key = UnsafeMutablePointer<uv_key_t>.allocate(capacity: 1)
        uv_key_create(key)
        return key
    }()

    /// Says that the calling thread is `loop`'s, which must stay alive until the thread says otherwise; nil: no loop's.
    static func set(_ loop: (any EventLoop)?) {
        uv_key_set(key, loop.map { Unmanaged.passUnretained($0 as AnyObject).toOpaque() })
    }

    /// The calling thread's loop, if it is one's.
    static var loop: (any EventLoop)? {
        guard let object else { return nil }
        if let loop = object as? UVLoop { return loop }
        return object as? any EventLoop
    }

    /// The calling thread's loop as a bare object: enough to compare, and quick.
    static var object: AnyObject? {
        // Valid: who was set is alive (see `set`).
        uv_key_get(key).map { Unmanaged<AnyObject>.fromOpaque($0).takeUnretainedValue() }
    }

    static func isCurrent(_ loop: AnyObject) -> Bool {
        uv_key_get(key) == Unmanaged.passUnretained(loop).toOpaque()
    }
}
