// SPDX-License-Identifier: Apache-2.0

import ApusProtobuf
import CCodecProtos
import CodecProtos
import SwiftCodecProtos

/// What is encoded and decoded.
enum Row: String, CaseIterable {
    case small
    case order
    case blob
    case track
    case glossary

    var title: String {
        switch self {
        case .small: "(a) 3 fields"
        case .order: "(b) 40 fields, nested"
        case .blob: "(c) 1 MiB of bytes"
        case .track: "(d) 10,000 messages"
        case .glossary: "(e) map of 1,000 texts"
        }
    }

    /// The row's message in its binary form.
    func bytes() throws -> [UInt8] {
        switch self {
        case .small: try Small.sample.deterministicBytes()
        case .order: try Order.sample.deterministicBytes()
        case .blob: try Blob.sample.deterministicBytes()
        case .track: try Track.sample.deterministicBytes()
        case .glossary: try Glossary.sample.deterministicBytes()
        }
    }

    func task(_ direction: Direction, _ contestant: Contestant) throws -> Task {
        let bytes = try bytes()
        return switch (self, contestant) {
        case (.small, .apus): try apus(Small.self, direction, bytes)
        case (.order, .apus): try apus(Order.self, direction, bytes)
        case (.blob, .apus): try apus(Blob.self, direction, bytes)
        case (.track, .apus): try apus(Track.self, direction, bytes)
        case (.glossary, .apus): try apus(Glossary.self, direction, bytes)
        case (.small, .swiftProtobuf): try swiftProtobuf(Bench_Codec_Small.self, direction, bytes)
        case (.order, .swiftProtobuf): try swiftProtobuf(Bench_Codec_Order.self, direction, bytes)
        case (.blob, .swiftProtobuf): try swiftProtobuf(Bench_Codec_Blob.self, direction, bytes)
        case (.track, .swiftProtobuf): try swiftProtobuf(Bench_Codec_Track.self, direction, bytes)
        case (.glossary, .swiftProtobuf): try swiftProtobuf(Bench_Codec_Glossary.self, direction, bytes)
        case (.small, .protobufC): try protobufC(RAW_SMALL, direction, bytes)
        case (.order, .protobufC): try protobufC(RAW_ORDER, direction, bytes)
        case (.blob, .protobufC): try protobufC(RAW_BLOB, direction, bytes)
        case (.track, .protobufC): try protobufC(RAW_TRACK, direction, bytes)
        case (.glossary, .protobufC): try protobufC(RAW_GLOSSARY, direction, bytes)
        }
    }
}

enum Direction: String, CaseIterable {
    case decode
    case encode
}

enum Contestant: String, CaseIterable {
    case apus
    case protobufC = "protobuf-c"
    case swiftProtobuf = "swift-protobuf"
}

/// Something to be done many times; what it makes is thrown away.
typealias Task = (_ times: Int) throws -> Void
