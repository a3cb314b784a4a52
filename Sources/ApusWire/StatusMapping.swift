// SPDX-License-Identifier: Apache-2.0

package import ApusCore

/// What a call's end means when no `grpc-status` says it.
package enum StatusMapping {
    /// The status of an answer that came without `grpc-status`. Source: gRPC, *HTTP to gRPC Status Code Mapping*.
    package static func code(http status: Int) -> Status.Code {
        switch status {
        case 400, 431: .internal
        case 401: .unauthenticated
        case 403: .permissionDenied
        case 404: .unimplemented
        case 429, 502, 503, 504: .unavailable
        default: .unknown
        }
    }

    /// The status of a stream that was reset. Source: gRPC over HTTP/2, *Errors*.
    package static func code(reset code: UInt32) -> Status.Code {
        switch code {
        case 0x7: .unavailable
        case 0x8: .cancelled
        case 0xb: .resourceExhausted
        case 0xc: .permissionDenied
        default: .internal
        }
    }

    /// RFC 9113's name of an error code.
    package static func name(reset code: UInt32) -> String {
        let names = [
            "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
            "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
            "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
        ]
        return code < UInt32(names.count) ? names[Int(code)] : "error \(code)"
    }
}
