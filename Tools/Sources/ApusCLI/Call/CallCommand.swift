// SPDX-License-Identifier: Apache-2.0

import Apus
import ArgumentParser
import Schemas

struct CallCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "call",
        abstract: "Call a method: JSON goes in, JSON comes out.",
        discussion: """
            The request comes from -d, from a file (-d @request.json), or from the
            standard input. A method that takes a stream gets one message after the
            other, each as soon as it is there; answers are printed as they come.

            \u{20} apus call :50051 users.v1.Users/Register -d '{"username": "ada"}'
            \u{20} apus call unix:/run/users.sock users.v1.Users/Get -d @get.json
            \u{20} apus call :50051 users.v1.Users/Get -H 'authorization: Bearer …' -v
            \u{20} jq -c '.[]' orders.json | apus call :50051 orders.v1.Orders/Import
            \u{20} apus call --directory /run/shop users users.v1.Users/Get -d '{"id": 1}'

            The exit status is the number of the status: 0 OK, 3 INVALID_ARGUMENT,
            4 DEADLINE_EXCEEDED, 5 NOT_FOUND, 7 PERMISSION_DENIED, 12 UNIMPLEMENTED,
            13 INTERNAL, 14 UNAVAILABLE, 16 UNAUTHENTICATED …
            """)

    @Argument(help: ArgumentHelp("The server.", valueName: "address")) var address: String
    @Argument(help: ArgumentHelp("The method, as Package.Service/Method.", valueName: "method")) var method: String
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("The request as JSON, or @file; several messages follow one another.", valueName: "json"))
    var data: String?
    @Flag(name: .shortAndLong, help: "Tell metadata, tries and the status on the standard error.") var verbose = false
    @Flag(help: "Each answer in one line.") var compact = false
    @Flag(help: "Also print fields that have their default.") var defaults = false
    @Flag(help: "Skip fields of the request that the message does not have.") var ignoreUnknown = false
    @Flag(help: "Wait until the server can be reached, instead of failing at once.") var waitForReady = false
    @OptionGroup var call: CallArguments
    @OptionGroup var schema: SchemaArguments
    @OptionGroup var connection: ConnectionArguments

    func run() async throws {
        let output = StandardOutput()
        let journal = verbose ? CallJournal(output) : nil
        let channel = try connection.channel(to: address, observer: journal)
        defer { channel.close() }
        var options = call.options()
        options.waitForReady = waitForReady
        let known = try await schema.schema(
            ofMethod: method, from: channel, CallOptions(timeout: options.timeout ?? .seconds(10)))
        let messages = MessageTexts(known.pool.types, isCompact: compact, defaults, ignoreUnknown)
        let conversation = Conversation(
            method: try known.method(method), messages: messages, channel: channel, options: options,
            journal: journal, output: output)
        try await conversation.run(try RequestTexts(data))
    }
}
