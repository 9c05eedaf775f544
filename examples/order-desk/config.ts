/**
 * Order desk: takes orders over HTTP, checks stock, prices them, and reports the stock every working day.
 *
 * Plain TypeScript that Node runs by stripping the types: no dependency, nothing to build.
 */

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

export const WORKFLOW_FILES = [
  join(here, 'workflows/take-order.json'),
  join(here, 'workflows/check-stock.json'),
  join(here, 'workflows/price-order.json'),
  join(here, 'workflows/daily-report.json'),
  join(here, 'workflows/summarise.json'),
];

export function getConfiguration() {
  const takeOrderUrl = '{{ORGSECRET_N8N_BASE_URL_TERCESORG}}/webhook/{{PROCDATA_PROCESS_ID_ATADCORP}}/{{USERDATA_PROCESS_INSTANCE_UID_ATADRESU}}/take-order';
  const reportUrl = '{{ORGSECRET_N8N_BASE_URL_TERCESORG}}/webhook/{{PROCDATA_PROCESS_ID_ATADCORP}}/{{USERDATA_PROCESS_INSTANCE_UID_ATADRESU}}/daily-report';

  return {
    title: 'Order Desk',
    subtitle: 'Takes orders, checks stock, writes the morning report',
    description: 'Takes an order over HTTP, checks it against the stock, prices it with your discounts and delivery fees, and sums up the stock every working day.',
    processDeploymentMarkdown: processMarkdown,
    tags: ['orders', 'stock', 'demo'],
    integrationUids: [] as string[],
    icon: 'ShoppingCart',
    processType: 'personal',
    deploymentInputSchema: getDeploymentInputSchema(),
    defaultDeploymentParameters: getDefaultDeploymentParameters(),
    workflows: [
      {
        workflowTemplateId: 'take-order',
        workflowId: 'take-order',
        workflowName: 'Take Order',
        markdownInfo: takeOrderMarkdown,
        knowledgeBaseAccess: { processDocTags: [], processInstanceDocTags: [] },
        integrationUids: [] as string[],
        triggers: [
          {
            triggerId: randomUUID(),
            type: 'http',
            url: takeOrderUrl,
            method: 'POST',
            title: 'Place an order',
            description: 'Send who orders what; the answer is the confirmed and priced order.',
            inputSchema: getOrderInputSchema(),
          },
        ],
        outputSchema: getOrderOutputSchema(),
        n8nWorkflowJsonBase64: encoded('take-order'),
        cost: 2,
      },
      {
        workflowTemplateId: 'check-stock',
        workflowId: 'check-stock',
        workflowName: 'Check Stock',
        markdownInfo: 'Compares the wanted quantities with the stock: what is missing, what would become scarce.',
        knowledgeBaseAccess: { processDocTags: [], processInstanceDocTags: [] },
        integrationUids: [] as string[],
        triggers: [
          {
            triggerId: randomUUID(),
            type: 'subworkflow',
            inputSchema: [{ key: 'items', type: 'array' }],
            calledBy: ['take-order'],
          },
        ],
        outputSchema: [],
        n8nWorkflowJsonBase64: encoded('check-stock'),
        cost: 0,
      },
      {
        workflowTemplateId: 'price-order',
        workflowId: 'price-order',
        workflowName: 'Price Order',
        markdownInfo: 'Prices every line, takes the discount off, adds the delivery fee.',
        knowledgeBaseAccess: { processDocTags: [], processInstanceDocTags: [] },
        integrationUids: [] as string[],
        triggers: [
          {
            triggerId: randomUUID(),
            type: 'subworkflow',
            inputSchema: [
              { key: 'items', type: 'array' },
              { key: 'delivery', type: 'string' },
            ],
            calledBy: ['take-order'],
          },
        ],
        outputSchema: [],
        n8nWorkflowJsonBase64: encoded('price-order'),
        cost: 0,
      },
      {
        workflowTemplateId: 'daily-report',
        workflowId: 'daily-report',
        workflowName: 'Daily Report',
        markdownInfo: dailyReportMarkdown,
        knowledgeBaseAccess: { processDocTags: [], processInstanceDocTags: [] },
        integrationUids: [] as string[],
        triggers: [
          {
            triggerId: randomUUID(),
            type: 'schedule',
            cronExpression: '0 7 * * 1-5',
            timezone: 'Europe/Berlin',
            humanReadable: 'Monday to Friday at 07:00',
            manualTriggerUrl: reportUrl,
            title: 'Morning report',
            description: 'Sums up the stock before the working day starts.',
          },
        ],
        outputSchema: getReportOutputSchema(),
        n8nWorkflowJsonBase64: encoded('daily-report'),
        cost: 1,
      },
      {
        workflowTemplateId: 'summarise',
        workflowId: 'summarise',
        workflowName: 'Summarise',
        markdownInfo: 'Counts the products, adds up their value, names those running low.',
        knowledgeBaseAccess: { processDocTags: [], processInstanceDocTags: [] },
        integrationUids: [] as string[],
        triggers: [
          {
            triggerId: randomUUID(),
            type: 'subworkflow',
            inputSchema: [
              { key: 'products', type: 'array' },
              { key: 'minimum', type: 'number' },
              { key: 'currency', type: 'string' },
            ],
            calledBy: ['daily-report'],
          },
        ],
        outputSchema: [],
        n8nWorkflowJsonBase64: encoded('summarise'),
        cost: 0,
      },
    ],
  };
}

/** What the person who installs the process is asked. */
export function getDeploymentInputSchema() {
  return [
    {
      type: 'section',
      title: 'Shop',
      description: 'Who sells, in which currency, to whom not.',
      inputSchema: [
        { key: 'SHOP_NAME', type: 'string', label: 'Name of the shop', required: true, minLength: 2, maxLength: 60 },
        {
          key: 'CURRENCY',
          type: 'select',
          label: 'Currency',
          required: true,
          options: [
            { value: 'EUR', label: 'Euro' },
            { value: 'CHF', label: 'Swiss franc' },
            { value: 'GBP', label: 'Pound sterling' },
            { value: 'USD', label: 'US dollar' },
          ],
        },
        { key: 'BLOCKED_CUSTOMERS', type: 'array', label: 'Customers who may not order', itemField: { type: 'string', maxLength: 80 } },
      ],
    },
    {
      type: 'section',
      title: 'Prices',
      inputSchema: [
        { key: 'DISCOUNT_PERCENT', type: 'number', label: 'Discount in percent', required: true, min: 0, max: 50, numberType: 'double' },
        { key: 'DISCOUNT_FROM', type: 'number', label: 'Discount from this subtotal on', required: true, min: 0, numberType: 'double' },
        { key: 'EXPRESS_OFFERED', type: 'boolean', label: 'Offer express delivery', enabledLabel: 'Offered', disabledLabel: 'Not offered' },
        { key: 'EXPRESS_FEE', type: 'number', label: 'Fee for express delivery', min: 0, numberType: 'double' },
      ],
    },
    {
      type: 'section',
      title: 'Stock',
      collapsible: true,
      inputSchema: [
        {
          key: 'PRODUCTS',
          type: 'objectArray',
          label: 'Products',
          required: true,
          maxItems: 200,
          itemSchema: [
            { key: 'sku', type: 'string', label: 'Article number', required: true, maxLength: 40 },
            { key: 'name', type: 'string', label: 'Name', required: true, maxLength: 80 },
            { key: 'price', type: 'number', label: 'Price', required: true, min: 0, numberType: 'double' },
            { key: 'stock', type: 'number', label: 'Pieces in stock', required: true, min: 0, numberType: 'integer' },
          ],
        },
        {
          key: 'MINIMUM_STOCK',
          type: 'number',
          label: 'Minimum stock',
          description: 'Below this number of pieces a product counts as scarce and is reserved by hand.',
          required: true,
          min: 0,
          numberType: 'integer',
        },
        {
          key: 'HAZARDOUS_ITEMS',
          type: 'array',
          label: 'Hazardous goods',
          description: 'Article numbers the warehouse refuses to reserve: such an order fails.',
          itemField: { type: 'string', maxLength: 40 },
        },
      ],
    },
  ];
}

/** What the automatic installation after a deploy uses. */
export function getDefaultDeploymentParameters() {
  return {
    SHOP_NAME: 'Corner "Tea & Coffee" Shop',
    CURRENCY: 'EUR',
    BLOCKED_CUSTOMERS: ['Mallory', "Trudy O'Hara"],
    DISCOUNT_PERCENT: 7.5,
    DISCOUNT_FROM: 50,
    EXPRESS_OFFERED: true,
    EXPRESS_FEE: 9.9,
    PRODUCTS: [
      { sku: 'tea', name: 'Assam tea, 500 g', price: 12.5, stock: 120 },
      { sku: 'coffee', name: 'Espresso beans, 1 kg', price: 21.9, stock: 80 },
      { sku: 'kettle', name: 'Gooseneck kettle', price: 64, stock: 6 },
      { sku: 'mug', name: 'Mug, hand-made', price: 9.8, stock: 2 },
      { sku: 'poison', name: 'Rat poison', price: 5, stock: 4 },
    ],
    MINIMUM_STOCK: 5,
    HAZARDOUS_ITEMS: ['poison'],
  };
}

function getOrderInputSchema() {
  return [
    { key: 'customer', type: 'string', label: 'Customer', required: true, minLength: 2, maxLength: 80, placeholder: 'Ada Lovelace' },
    {
      key: 'items',
      type: 'objectArray',
      label: 'Items',
      required: true,
      minItems: 1,
      maxItems: 20,
      itemSchema: [
        { key: 'sku', type: 'string', label: 'Article number', required: true, regex: '^[a-z0-9-]{1,40}$' },
        { key: 'quantity', type: 'number', label: 'Quantity', required: true, min: 1, max: 99, numberType: 'integer' },
      ],
    },
    {
      key: 'delivery',
      type: 'select',
      label: 'Delivery',
      defaultValue: 'standard',
      options: [
        { value: 'standard', label: 'Standard' },
        { value: 'express', label: 'Express' },
      ],
    },
    { key: 'note', type: 'text', label: 'Note', maxLength: 500, rows: 3 },
  ];
}

function getOrderOutputSchema() {
  return [
    { key: 'order_number', type: 'string', label: 'Order number' },
    { key: 'shop', type: 'string', label: 'Shop' },
    { key: 'customer', type: 'string', label: 'Customer' },
    { key: 'currency', type: 'string', label: 'Currency' },
    {
      key: 'lines',
      type: 'objectArray',
      label: 'Lines',
      itemSchema: [
        { key: 'sku', type: 'string', label: 'Article number' },
        { key: 'name', type: 'string', label: 'Name' },
        { key: 'quantity', type: 'number', label: 'Quantity', numberType: 'integer' },
        { key: 'price', type: 'number', label: 'Price' },
        { key: 'amount', type: 'number', label: 'Amount' },
      ],
    },
    { key: 'subtotal', type: 'number', label: 'Subtotal' },
    { key: 'discount', type: 'number', label: 'Discount' },
    { key: 'delivery_fee', type: 'number', label: 'Delivery fee' },
    { key: 'total', type: 'number', label: 'Total' },
    { key: 'reserved', type: 'array', label: 'Reserved by hand', itemField: { type: 'string' } },
    { key: 'note', type: 'text', label: 'Note' },
    { key: 'message', type: 'text', label: 'Message to the customer' },
  ];
}

function getReportOutputSchema() {
  return [
    { key: 'title', type: 'string', label: 'Title' },
    { key: 'summary', type: 'text', label: 'Summary' },
    { key: 'product_count', type: 'number', label: 'Products', numberType: 'integer' },
    { key: 'stock_value', type: 'number', label: 'Value of the stock' },
    {
      key: 'low_stock',
      type: 'objectArray',
      label: 'Running low',
      itemSchema: [
        { key: 'sku', type: 'string', label: 'Article number' },
        { key: 'name', type: 'string', label: 'Name' },
        { key: 'stock', type: 'number', label: 'Pieces in stock', numberType: 'integer' },
      ],
    },
  ];
}

function encoded(workflowTemplateId: string): string {
  return readFileSync(join(here, 'workflows', `${workflowTemplateId}.json`)).toString('base64');
}

const takeOrderMarkdown = `# Take Order

Checks the order against the stock, prices it and confirms it.

- A blocked customer and a product that is out of stock end in a validation error with a message for the customer.
- A product that becomes scarce is reserved by hand; the warehouse refuses hazardous goods, and then the run fails.`;

const dailyReportMarkdown = `# Daily Report

Counts the products, adds up their value and names those running low. Runs on working days at seven, or when asked to.`;

const processMarkdown = `# Order Desk

| Workflow | Started by | Does |
|---|---|---|
| Take Order | an HTTP call | takes, checks, prices and confirms one order |
| Daily Report | the clock, or a call | sums up the stock |
| Check Stock, Price Order, Summarise | the two above | one step each |

Everything a shop may want to change (name, currency, discount, products, blocked customers) is a parameter of the installation.`;
