import { create, toBinary } from "@bufbuild/protobuf";
import { NameQuestionSchema, QuestionSchema } from "../gen/fairlead/peers/v1/peers_pb.ts";
import { MAX_ANSWER_BYTES } from "../store/peers.ts";
import { type PeerSender, readMessage, readSender, senderMessage } from "./peer-position.ts";

/** A question's sender and nonce take less than this beside its content, in bytes. */
export const QUESTION_HEAD_BYTES = 1024;

export interface PeerQuestion {
  readonly sender: PeerSender;
  /** What the answer is bound to. */
  readonly nonce: string;
  readonly content: Uint8Array;
}

export function encodeQuestion({ sender, nonce, content }: PeerQuestion): Uint8Array {
  return toBinary(QuestionSchema, create(QuestionSchema, { sender: senderMessage(sender), nonce, content }));
}

/** Undefined for bytes that are not a question. */
export function decodeQuestion(bytes: Uint8Array): PeerQuestion | undefined {
  const question = readMessage(QuestionSchema, bytes);
  const sender = readSender(question?.sender);
  if (question === undefined || sender === undefined || !/^[A-Za-z0-9-]{8,64}$/.test(question.nonce)) return undefined;
  return { sender, nonce: question.nonce, content: question.content };
}

/** @param instance The only one that may answer; if undefined, any bearer of the name may. */
export function encodeNameQuestion(instance: string | undefined): Uint8Array {
  return toBinary(NameQuestionSchema, create(NameQuestionSchema, { instance }));
}

export function decodeNameQuestion(bytes: Uint8Array): { readonly instance?: string | undefined } | undefined {
  return readMessage(NameQuestionSchema, bytes);
}

/** An answer is sent in parts of this size, well below what a server accepts by default. */
const PART_BYTES = 256 * 1024;
const PART_HEAD_BYTES = 8;
export const MAX_PART_BYTES = PART_HEAD_BYTES + PART_BYTES;
const MAX_PARTS = Math.ceil(MAX_ANSWER_BYTES / PART_BYTES);

/** The parts of an answer as sent: index and count, four bytes each, then the content. An empty answer is one part. */
export function* answerParts(answer: Uint8Array): Generator<Uint8Array> {
  const count = Math.max(1, Math.ceil(answer.byteLength / PART_BYTES));
  if (count > MAX_PARTS) {
    throw new Error(
      `the answer has ${answer.byteLength} bytes; at most ${MAX_ANSWER_BYTES} (MAX_ANSWER_BYTES) are sent`,
    );
  }
  for (let index = 0; index < count; index++) {
    const head = new DataView(new ArrayBuffer(PART_HEAD_BYTES));
    head.setUint32(0, index);
    head.setUint32(4, count);
    const content = answer.subarray(index * PART_BYTES, (index + 1) * PART_BYTES);
    yield Buffer.concat([new Uint8Array(head.buffer), content]);
  }
}

/** Undefined for bytes that are not a part of an answer. */
export function decodePart(bytes: Uint8Array) {
  if (bytes.byteLength < PART_HEAD_BYTES) return undefined;
  const head = new DataView(bytes.buffer, bytes.byteOffset, PART_HEAD_BYTES);
  const [index, count] = [head.getUint32(0), head.getUint32(4)];
  const isRight = index < count && count <= MAX_PARTS;
  return isRight ? { index, count, content: bytes.subarray(PART_HEAD_BYTES) } : undefined;
}
