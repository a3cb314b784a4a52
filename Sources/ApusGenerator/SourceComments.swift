// SPDX-License-Identifier: Apache-2.0

/// The comments and line numbers of a .proto file, found by the path of what they belong to.
/// Source: google/protobuf/descriptor.proto, SourceCodeInfo.
struct SourceComments {
    private let file: String
    private var locations: [[Int32]: SourceLocation] = [:]

    init(_ file: FileDescriptorProto) {
        self.file = file.name
        for location in file.sourceCodeInfo?.location ?? [] where locations[location.path] == nil {
            locations[location.path] = location
        }
    }

    /// The comment above, or else the one behind, without the comment marks.
    func comment(_ path: [Int32]) -> String {
        guard let location = locations[path] else { return "" }
        let text = location.leadingComments.isEmpty ? location.trailingComments : location.leadingComments
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.first == " " ? String(line.dropFirst()) : String(line)
        }
        while lines.last?.allSatisfy(\.isWhitespace) == true { lines.removeLast() }
        return lines.map(Self.trimmed).joined(separator: "\n")
    }

    /// `file:line`, or the file alone when the line is not known.
    func place(_ path: [Int32]) -> String {
        guard let line = locations[path]?.span.first else { return file }
        return "\(file):\(line + 1)"
    }

    private static func trimmed(_ line: String) -> String {
        var line = line
        while line.last?.isWhitespace == true { line.removeLast() }
        return line
    }
}
