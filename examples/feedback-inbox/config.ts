/**
 * Feedback inbox: files feedback under a topic found by keywords; no outside service takes part.
 *
 * Plain TypeScript that Node runs by stripping the types: no dependency, nothing to build.
 */

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

export const WORKFLOW_FILES = [
  join(here, 'workflows/submit-feedback.json'),
  join(here, 'workflows/preview-feedback.json'),
  join(here, 'workflows/classify-feedback.json'),
];

export function getConfiguration() {
  const submitUrl = '{{ORGSECRET_N8N_BASE_URL_TERCESORG}}/webhook/{{PROCDATA_PROCESS_ID_ATADCORP}}/{{USERDATA_PROCESS_INSTANCE_UID_ATADRESU}}/submit-feedback';
  const previewUrl = '{{ORGSECRET_N8N_BASE_URL_TERCESORG}}/webhook/{{PROCDATA_PROCESS_ID_ATADCORP}}/{{USERDATA_PROCESS_INSTANCE_UID_ATADRESU}}/preview-feedback';

  return {
    title: 'Feedback Inbox',
    subtitle: 'Sorts what people say',
    description: 'Files feedback under a topic, says how the author feels and whether it is urgent. One inbox serves the whole organization.',
    processDeploymentMarkdown: processMarkdown,
    tags: ['feedback', 'demo'],
    integrationUids: [] as string[],
    icon: 'Inbox',
    processType: 'organizational',
    deploymentInputSchema: getDeploymentInputSchema(),
    defaultDeploymentParameters: getDefaultDeploymentParameters(),
    workflows: [
      {
        workflowTemplateId: 'submit-feedback',
        workflowId: 'submit-feedback',
        workflowName: 'Submit Feedback',
        markdownInfo: 'Classifies the feedback and files it as a ticket. The webhook answers at once; the result comes later.',
        knowledgeBaseAccess: { processDocTags: [], processInstanceDocTags: [] },
        integrationUids: [] as string[],
        triggers: [
          {
            triggerId: randomUUID(),
            type: 'http',
            url: submitUrl,
            method: 'POST',
            title: 'Leave feedback',
            inputSchema: getFeedbackInputSchema(),
          },
        ],
        outputSchema: getTicketOutputSchema(),
        n8nWorkflowJsonBase64: encoded('submit-feedback'),
        cost: 1,
      },
      {
        workflowTemplateId: 'preview-feedback',
        workflowId: 'preview-feedback',
        workflowName: 'Preview Feedback',
        markdownInfo: 'Shows how a text would be classified and files nothing. The webhook answers when the run is over.',
        knowledgeBaseAccess: { processDocTags: [], processInstanceDocTags: [] },
        integrationUids: [] as string[],
        triggers: [
          {
            triggerId: randomUUID(),
            type: 'http',
            url: previewUrl,
            method: 'POST',
            title: 'Try a text',
            inputSchema: getPreviewInputSchema(),
          },
        ],
        outputSchema: getPreviewOutputSchema(),
        n8nWorkflowJsonBase64: encoded('preview-feedback'),
        cost: 0,
      },
      {
        workflowTemplateId: 'classify-feedback',
        workflowId: 'classify-feedback',
        workflowName: 'Classify Feedback',
        markdownInfo: 'Finds the topic whose keywords occur most often, the mood by the stars, the urgency by both.',
        knowledgeBaseAccess: { processDocTags: [], processInstanceDocTags: [] },
        integrationUids: [] as string[],
        triggers: [
          {
            triggerId: randomUUID(),
            type: 'subworkflow',
            inputSchema: [
              { key: 'text', type: 'string' },
              { key: 'stars', type: 'number' },
            ],
            calledBy: ['submit-feedback', 'preview-feedback'],
          },
        ],
        outputSchema: [],
        n8nWorkflowJsonBase64: encoded('classify-feedback'),
        cost: 0,
      },
    ],
  };
}

/** What the person who installs the process is asked. */
export function getDeploymentInputSchema() {
  return [
    { key: 'TICKET_PREFIX', type: 'string', label: 'Prefix of ticket numbers', required: true, regex: '^[A-Z]{2,5}$', regexError: 'Two to five capital letters' },
    {
      key: 'TOPIC_RULES',
      type: 'objectArray',
      label: 'Topics',
      required: true,
      minItems: 1,
      itemSchema: [
        { key: 'topic', type: 'string', label: 'Topic', required: true, maxLength: 40 },
        { key: 'words', type: 'text', label: 'Keywords, separated by commas', required: true, rows: 2 },
      ],
    },
    { key: 'FALLBACK_TOPIC', type: 'string', label: 'Topic when no keyword occurs', required: true, maxLength: 40 },
    { key: 'URGENT_WORDS', type: 'array', label: 'Words that make feedback urgent' },
    {
      key: 'URGENT_MOODS',
      type: 'multiselect',
      label: 'Moods that make feedback urgent',
      options: [
        { value: 'glad', label: 'Glad' },
        { value: 'neutral', label: 'Neutral' },
        { value: 'upset', label: 'Upset' },
      ],
    },
    {
      key: 'REPLIES',
      type: 'object',
      label: 'Replies',
      required: true,
      schema: [
        { key: 'glad', type: 'text', label: 'To a glad author', required: true },
        { key: 'neutral', type: 'text', label: 'To a neutral author', required: true },
        { key: 'upset', type: 'text', label: 'To an upset author', required: true },
      ],
    },
    { key: 'BANNED_AUTHORS', type: 'array', label: 'Authors whose feedback is not accepted' },
  ];
}

/** What the automatic installation after a deploy uses. */
export function getDefaultDeploymentParameters() {
  return {
    TICKET_PREFIX: 'FB',
    TOPIC_RULES: [
      { topic: 'billing', words: 'invoice, refund, price, charged, paid' },
      { topic: 'delivery', words: 'late, parcel, delivery, courier, shipping' },
      { topic: 'quality', words: 'broken, scratched, defect, sturdy, quality' },
    ],
    FALLBACK_TOPIC: 'general',
    URGENT_WORDS: ['urgent', 'dangerous', 'lawyer'],
    URGENT_MOODS: ['upset'],
    REPLIES: {
      glad: 'Thank you! We pass it on to everyone who had a hand in it.',
      neutral: 'Thank you, we have read it.',
      upset: "We're sorry.\nSomeone answers you today.",
    },
    BANNED_AUTHORS: ['spambot'],
  };
}

function getFeedbackInputSchema() {
  return [
    { key: 'text', type: 'text', label: 'Feedback', required: true, minLength: 2, maxLength: 2000, rows: 5 },
    { key: 'stars', type: 'number', label: 'Stars', description: 'One is worst, five is best; three when left out.', min: 1, max: 5, numberType: 'integer' },
    { key: 'author', type: 'string', label: 'Your name', maxLength: 80 },
  ];
}

function getPreviewInputSchema() {
  return [
    { key: 'text', type: 'text', label: 'Text', required: true, minLength: 2, maxLength: 2000 },
    { key: 'stars', type: 'number', label: 'Stars', min: 1, max: 5, numberType: 'integer' },
  ];
}

function getTicketOutputSchema() {
  return [
    { key: 'ticket', type: 'string', label: 'Ticket' },
    { key: 'author', type: 'string', label: 'Author' },
    { key: 'topic', type: 'string', label: 'Topic' },
    { key: 'mood', type: 'string', label: 'Mood' },
    { key: 'urgent', type: 'boolean', label: 'Urgent' },
    { key: 'reply', type: 'text', label: 'Reply to the author' },
  ];
}

function getPreviewOutputSchema() {
  return [
    { key: 'topic', type: 'string', label: 'Topic' },
    { key: 'keywords', type: 'array', label: 'Keywords found', itemField: { type: 'string' } },
    { key: 'mood', type: 'string', label: 'Mood' },
    { key: 'urgent', type: 'boolean', label: 'Urgent' },
  ];
}

function encoded(workflowTemplateId: string): string {
  return readFileSync(join(here, 'workflows', `${workflowTemplateId}.json`)).toString('base64');
}

const processMarkdown = `# Feedback Inbox

| Workflow | Started by | Does |
|---|---|---|
| Submit Feedback | an HTTP call | classifies one piece of feedback and files it |
| Preview Feedback | an HTTP call | only classifies |
| Classify Feedback | the two above | matches keywords, no outside service |

Topics, keywords, urgent words and replies are parameters of the installation.`;
