// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusWire
import Testing

@Suite struct StatusMappingTests {
    @Test(arguments: [
        (400, Status.Code.internal), (401, .unauthenticated), (403, .permissionDenied), (404, .unimplemented),
        (429, .unavailable), (431, .internal), (502, .unavailable), (503, .unavailable), (504, .unavailable),
        (200, .unknown), (204, .unknown), (301, .unknown), (405, .unknown), (500, .unknown), (501, .unknown),
        (0, .unknown),
    ])
    func `an HTTP status without grpc-status maps as gRPC's table says`(_ http: Int, _ code: Status.Code) {
        #expect(StatusMapping.code(http: http) == code)
    }

    @Test(
        arguments: [
            (0x0, Status.Code.internal, "NO_ERROR"), (0x1, .internal, "PROTOCOL_ERROR"),
            (0x2, .internal, "INTERNAL_ERROR"),
            (0x3, .internal, "FLOW_CONTROL_ERROR"), (0x4, .internal, "SETTINGS_TIMEOUT"),
            (0x5, .internal, "STREAM_CLOSED"),
            (0x6, .internal, "FRAME_SIZE_ERROR"), (0x7, .unavailable, "REFUSED_STREAM"), (0x8, .cancelled, "CANCEL"),
            (0x9, .internal, "COMPRESSION_ERROR"), (0xa, .internal, "CONNECT_ERROR"),
            (0xb, .resourceExhausted, "ENHANCE_YOUR_CALM"), (0xc, .permissionDenied, "INADEQUATE_SECURITY"),
            (0xd, .internal, "HTTP_1_1_REQUIRED"), (0xe, .internal, "error 14"), (.max, .internal, "error 4294967295"),
        ] as [(UInt32, Status.Code, String)])
    func `a reset maps by its code and is named`(_ reset: UInt32, _ code: Status.Code, _ name: String) {
        #expect(StatusMapping.code(reset: reset) == code)
        #expect(StatusMapping.name(reset: reset) == name)
    }
}
