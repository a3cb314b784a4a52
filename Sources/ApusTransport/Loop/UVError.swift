// SPDX-License-Identifier: Apache-2.0

import ApusCore
import CLibuv

/// libuv's error numbers as errors that say what was tried.
enum UVError {
    /// libuv's own text for a number, such as `connection refused`.
    static func text(_ code: Int32) -> String { String(cString: uv_strerror(code)) }

    static func check(
        _ code: Int32, _ what: @autoclosure () -> String, _ status: Status.Code = .resourceExhausted
    ) throws(RPCError) {
        guard code < 0 else { return }
        throw RPCError(status, "\(what()): \(text(code))", progress: .notConnected)
    }
}
