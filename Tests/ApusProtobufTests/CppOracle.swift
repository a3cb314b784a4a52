// SPDX-License-Identifier: Apache-2.0

import ApusTestSupport
import Foundation

/// Google's C++ protobuf as a judge of many messages at once: see Tests/Oracle.
struct CppOracle {
    struct Answer: Hashable {
        let isAccepted: Bool
        let bytes: [UInt8]

        var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    enum Task: String {
        case normalize = "b"
        case toJSON = "j"
        case fromJSON = "J"
    }

    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private var questions: [UInt8] = []
    private(set) var count = 0

    /// Asks one more question; the answer has the same place.
    mutating func ask(_ task: Task, _ type: String, _ bytes: [UInt8]) {
        questions += task.rawValue.utf8
        for part in [Array(type.utf8), bytes] {
            questions += (0..<4).map { UInt8(part.count >> (8 * $0) & 0xFF) }
            questions += part
        }
        count += 1
    }

    /// All answers. The thread of the caller is free meanwhile.
    func answers() async throws -> [Answer] {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result { try awaitAnswers() }) }
        }
    }

    private func awaitAnswers() throws -> [Answer] {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (input, output) = (folder.appending(path: "in"), folder.appending(path: "out"))
        try Data(questions).write(to: input)
        let program = Self.root.appending(path: ".build/oracle/oracle")
        guard FileManager.default.isExecutableFile(atPath: program.path) else {
            throw Failed(description: "these tests compare with C++ protobuf: run .ci/oracle first")
        }
        let process = Process()
        process.executableURL = program
        process.arguments = [input.path, output.path]
        try process.run()
        guard process.waitForEnd() == 0 else { throw Failed(description: "the oracle failed") }
        return try Self.parse([UInt8](Data(contentsOf: output)), count)
    }

    private static func parse(_ bytes: [UInt8], _ count: Int) throws -> [Answer] {
        var answers: [Answer] = []
        var at = 0
        while at + 5 <= bytes.count {
            let size = (0..<4).reduce(0) { $0 | Int(bytes[at + 1 + $1]) << (8 * $1) }
            let end = at + 5 + size
            guard end <= bytes.count else { break }
            answers.append(Answer(isAccepted: bytes[at] == 1, bytes: Array(bytes[(at + 5)..<end])))
            at = end
        }
        guard answers.count == count else { throw Failed(description: "the oracle left questions open") }
        return answers
    }
}
