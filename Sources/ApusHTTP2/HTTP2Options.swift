// SPDX-License-Identifier: Apache-2.0

internal import CNghttp2

/// nghttp2's options for every session, made once. Never changed, never freed: safe to share between threads.
enum HTTP2Options {
    nonisolated(unsafe) static let server = make()

    nonisolated(unsafe) static let client: OpaquePointer? = {
        let option = make()
        // RFC 9113 has no limit before the peer's SETTINGS; every gRPC implementation assumes 100.
        nghttp2_option_set_peer_max_concurrent_streams(option, 100)
        return option
    }()

    private static func make() -> OpaquePointer? {
        var option: OpaquePointer?
        guard nghttp2_option_new(&option) == 0 else { return nil }
        // Behind the guards of our own, which know of useful work and count frames.
        apus_nghttp2_set_backstops(option)
        nghttp2_option_set_no_auto_window_update(option, 1)
        nghttp2_option_set_max_outbound_ack(option, 100)
        nghttp2_option_set_max_settings(option, 32)
        // grpcio sends the blanks at the ends of grpc-message as they are: RFC 9113 forbids it, gRPC does not.
        nghttp2_option_set_no_rfc9113_leading_and_trailing_ws_validation(option, 1)
        nghttp2_option_set_max_send_header_block_length(option, HeaderBlock.maximumListSize)
        return option
    }
}
